"""Settings become gateways."""

from dataclasses import fields
from typing import Any

import pytest

from penstock.backends.cache.index import Index
from penstock.backends.cache.memory import MemoryCache
from penstock.backends.counters.memory import MemoryCounters
from penstock.backends.reservations.memory import MemoryReservations
from penstock.core.budget import Budget
from penstock.core.telemetry import Telemetry
from penstock.features.ask_usage import AskUsage, NullAskUsage
from penstock.features.auth import Auth, Keyring, OpenAuth
from penstock.gateway.compile import Parts, compile_gateway, upstreams
from penstock.gateway.config import GatewayConfig
from penstock.model.options import CallOptions
from penstock.model.plan import Origin
from penstock.providers.prices import PriceBook
from tests.kit.house import house, request

STREAM = b'{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}'


def the_parts():
    nowhere: Any = None
    telemetry = Telemetry()
    return Parts(
        *(nowhere, upstreams({}), PriceBook({}), Keyring(telemetry), 1.0, 100, Budget(1000)),
        *(
            telemetry,
            MemoryCounters(),
            MemoryReservations(telemetry.reservations_refused),
            MemoryCache(Index(1000), 1000),
            1000,
        ),
    )


def compiled(**settings):
    return compile_gateway(GatewayConfig(7, "account", "id", **settings), the_parts())


def test_a_stage_that_is_off_is_a_null_stage():
    assert isinstance(compiled().ask_usage, AskUsage)
    assert isinstance(compiled(ask_usage=False).ask_usage, NullAskUsage)
    assert type(compiled().auth) is OpenAuth
    assert type(compiled(authentication=True).auth) is Auth


@pytest.mark.parametrize(
    ("rows", "bodies", "keeps"), [(True, True, True), (True, False, False), (False, True, False), (False, False, False)]
)
def test_bodies_are_kept_only_beside_a_row(rows, bodies, keeps):
    gateway = compiled(collect_logs=rows, collect_log_payloads=bodies)
    assert gateway.options.plain == CallOptions(log=rows, payloads=keeps)
    assert gateway.options.unread == CallOptions(log=rows, payloads=False)


def test_gateways_share_every_stage_that_knows_nothing_of_its_gateway():
    parts = the_parts()
    one, two = (compile_gateway(GatewayConfig(number, "a", str(number)), parts) for number in (1, 2))
    assert (one.number, two.number) == (1, 2)
    differing = [field.name for field in fields(one) if getattr(one, field.name) is not getattr(two, field.name)]
    assert differing == ["number"]


def test_every_provider_is_known_by_its_id_at_its_own_address_or_the_operators():
    at_home = upstreams({})
    assert {"openai", "anthropic"} <= at_home.keys()
    moved = upstreams({"openai": "http://127.0.0.1:8788/openai"})
    assert moved["openai"].origins == [Origin(False, "127.0.0.1", 8788, trusted=True)]
    assert moved["anthropic"].origins == at_home["anthropic"].origins
    by_alias = upstreams({"azure": "http://127.0.0.1:8788/azure"})
    assert by_alias["azure"] is by_alias["azure-openai"]
    assert by_alias["azure"].moved


@pytest.mark.parametrize(("slug", "url"), [("nobody", "http://a"), ("openai", "ftp://a"), ("openai", "")])
def test_an_override_that_cannot_be_used_is_refused_by_name(slug, url):
    with pytest.raises(ValueError, match=rf"providers\.{slug}"):
        upstreams({slug: url})


def test_markups_belong_to_a_provider_by_any_of_its_names_or_to_all():
    made = upstreams({}, [("azure", "gpt*", 10.0), ("*", "*", 5.0)])
    charged = {slug: made[slug].markups.charged("gpt-5", 100) for slug in ("azure-openai", "azure", "openai")}
    assert charged == {"azure-openai": 110, "azure": 110, "openai": 105}
    assert made["azure"].markups.charged("other", 100) == 105
    with pytest.raises(ValueError, match="nobody"):
        upstreams({}, [("nobody", "*", 5.0)])


async def test_the_settings_of_a_gateway_act():
    gateways = {
        "default": {},
        "silent": {"collect_logs": False},
        "discreet": {"collect_log_payloads": False},
        "exact": {"ask_usage": False},
    }
    async with house(gateways=gateways) as made, made.client() as client:
        for name in gateways:
            answer = await client.ask(request(gateway=name, body=STREAM, event=name))
            assert answer.status == 200
            assert ("cf-aig-log-id" in answer.headers) == (name != "silent")
            assert b'"completion_tokens"' not in answer.body
        rows = {row.event_id: row for row in made.sink.records}
    assert rows.keys() == {"default", "discreet", "exact"}
    assert rows["default"].request == STREAM
    assert (rows["default"].response or b"").endswith(b"data: [DONE]\n\n")
    assert (rows["discreet"].request, rows["discreet"].response) == (None, None)
    assert rows["default"].tokens_in is not None
    assert rows["exact"].tokens_in is None
