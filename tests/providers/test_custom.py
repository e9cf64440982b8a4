"""Calls to providers of an account's own: where they lead, with which headers, and what they cost."""

import json

import pytest
import pytest_asyncio

from penstock.providers.custom import Custom, upstream
from tests.control.custom_providers.conftest import OTHER, PROVIDERS, serving
from tests.kit.house import envelope
from tests.kit.store import SECRET, a_token

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWN = {"authorization": "Bearer sk-own"}
UNIVERSAL = {"query": {"model": "m", "messages": []}, "endpoint": "chat/completions"}


@pytest_asyncio.fixture(loop_scope="module")
async def api():
    gateways = {"default": {"cache_ttl": 600}, "other": {}, "only": {"byok_only": True}}
    tokens = [a_token("theirs", account=OTHER)]
    async with serving(gateways=gateways, tokens=tokens) as made:
        yield made


async def row_of(api, event, *args, **given):
    await api.call(*args, event=event, headers={"cf-aig-skip-cache": "true"}, **given)
    return await api.house.row(event)


@pytest.mark.parametrize(
    ("base", "path", "target"),
    [
        ("openai", "chat/completions", "/openai/chat/completions"),
        ("openai/v1/", "chat/completions?a=b&c", "/openai/v1/chat/completions?a=b&c"),
        ("openai", "openai/x", "/openai/openai/x"),
        ("openai", "a%2Fb/%7E", "/openai/a%2Fb/%7E"),
    ],
)
async def test_a_path_goes_behind_the_base_url_as_it_is(base, path, target):
    made = upstream(Custom("id", 1, "mine", f"https://api.example.com/{base}"))
    path, _, query = path.partition("?")
    found = made.target(path.encode())
    assert found.origin == (True, "api.example.com", 443, False)  # not trusted: its address is judged when it is called
    assert found.path.decode() + ("?" + query if query else "") == target


@pytest.mark.parametrize(
    ("base", "version"), [("openai", "v1/"), ("v1", ""), ("openai/v1beta1/", ""), ("v1x/y", "v1/")]
)
async def test_the_unified_api_calls_what_is_spelt_as_openais(base, version):
    made = upstream(Custom("id", 1, "mine", f"https://api.example.com/{base}"))
    ways = {one.kind: one for one in made.provider.unified}
    assert (ways["chat"].path, ways["chat"].dialect) == (f"{version}chat/completions", "openai_chat")
    assert ways["embeddings"].path == f"{version}embeddings"


async def test_a_call_leads_there(api):
    await api.make(at="openai/v1")
    assert (await api.sent("custom-mine/chat/completions?a=b"))[0] == "/openai/v1/chat/completions?a=b"
    step = {"provider": "custom-mine", "headers": {}} | UNIVERSAL
    answer = await api.call("", body=json.dumps([step]).encode(), headers={"x-mock-echo": "1"})
    assert answer.status == 200, answer.body


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("chat/completions", "openai_chat"),
        ("v1/chat/completions", "openai_chat"),
        ("responses", "openai_responses"),
        ("v1/responses", "openai_responses"),
        ("embeddings", "openai_embeddings"),
        ("v1/embeddings", "openai_embeddings"),
        ("messages", "anthropic"),
        ("v1/messages", "anthropic"),
        ("v2/anything", ""),
    ],
)
async def test_operations_in_a_known_dialect_are_read(path, dialect):
    target = upstream(Custom("id", 1, "mine", "https://api.example.com")).target(path.encode())
    assert target.endpoint.dialect == dialect


async def test_tokens_are_counted_and_priced_with_its_own_prices(api):
    made = await api.make(prices={"input": 1, "output": 2.5})
    row = await row_of(api, "priced")
    assert row.provider == "custom-mine"
    assert row.tokens_in > 0
    assert row.cost == row.tokens_in * 1000 + row.tokens_out * 2500  # nano-dollars
    await api.change(made, prices=None)
    row = await row_of(api, "unpriced")
    assert row.tokens_in > 0
    assert row.cost is None
    await api.change(made, base_url=f"{api.house.mock.url}/anthropic", prices={"input": 1, "output": 1})
    body = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hello"}]}'
    row = await row_of(api, "claude", "custom-mine/v1/messages", body=body)
    assert row.cost == (row.tokens_in + row.tokens_out) * 1000 > 0


async def test_who_cannot_be_called_is_told_without_telling_of_others(api):
    made = await api.make(enable=False)
    await api.ask(
        "POST", body={"name": "x", "slug": "hidden", "base_url": "https://a.example", "enable": True},
        secret="theirs", account=OTHER,
    )  # fmt: skip
    disabled = envelope(await api.call(), 400, 2008)
    unknown = envelope(await api.call("custom-none/x"), 400, 2008)
    hidden = envelope(await api.call("custom-hidden/x"), 400, 2008)
    assert "disabled" in disabled
    assert "no such provider" in unknown
    assert hidden == unknown.replace("none", "hidden")
    await api.change(made, enable=True)
    assert (await api.call()).status == 200
    await api.ask("DELETE", f"{PROVIDERS}/{made['id']}")
    assert "no such provider" in envelope(await api.call(), 400, 2008)
    assert "custom-" not in envelope(await api.call("nobody/x"), 400, 2008)


async def test_its_headers_go_with_calls_that_have_a_token(api):
    await api.make(headers=json.dumps({"Authorization": "Bearer sk-theirs", "X-Org": "one"}))
    _, sent = await api.sent()
    assert (sent["authorization"], sent["x-org"]) == ("Bearer sk-theirs", "one")
    row = await row_of(api, "keyed", gateway="only")
    assert json.loads(row.detail)["decisions"]["key"] == {"source": "byok"}
    assert row.status_code == 200
    for headers in ({}, OWN, {"x-org": "mine"}, {"cf-aig-authorization": "Bearer pst_nobody_knows_this_token_at_all"}):
        envelope(await api.call(token=False, headers=headers), 401, 2009)
    _, sent = await api.sent(token=False, headers=OWN | {"x-org": "mine"})  # all is the client's own
    assert (sent["authorization"], sent["x-org"]) == ("Bearer sk-own", "mine")


@pytest.mark.parametrize("own", ["", "Bearer ", "unused", "CF_TEMP_TOKEN", f"Bearer {SECRET}"])
@pytest.mark.parametrize("name", ["authorization", "x-org"])
async def test_what_is_no_credential_of_the_clients_gives_way(api, own, name):
    await api.make(headers=json.dumps({name: "theirs"}))
    assert (await api.sent(headers={name: own}))[1][name] == "theirs"
    assert (await api.sent(headers={name: "mine"}))[1][name] == "mine"


async def test_a_change_drops_what_was_cached(api):
    made = await api.make()

    async def status(**given):
        return (await api.call(**given)).headers.get("cf-aig-cache-status")

    mine = {"cf-aig-cache-key": "mine"}
    changes = [{"headers": '{"x-org": "one"}'}, {"headers": '{"x-org": "two"}'}, {"base_url": made["base_url"] + "/v1"}]
    for change in changes:
        for headers in ({}, mine):
            assert [await status(headers=headers) for _ in range(2)] == ["MISS", "HIT"]
        await api.change(made, **change)
    assert [await status() for _ in range(2)] == ["MISS", "HIT"]
    await api.change(made, description="changes nothing of that")
    assert await status() == "HIT"
    assert await status(headers=mine) == "MISS"
    await api.ask("DELETE", f"{PROVIDERS}/{made['id']}")
    await api.make()
    assert await status(headers=mine) == "MISS"


async def test_two_of_one_address_share_no_answers(api):
    for slug in ("mine", "yours"):
        await api.make(slug, headers=json.dumps({"x-org": slug}))
        assert (await api.call(f"custom-{slug}/chat/completions")).headers["cf-aig-cache-status"] == "MISS"


async def test_gateways_of_the_account_have_it_and_those_of_others_not(api):
    await api.make()
    for gateway in ("default", "other"):
        assert (await api.call(gateway=gateway)).status == 200
    current = api.house.server.app.snapshots.current._gateways
    assert len({id(one.routing) for one in current.values()}) == 1
