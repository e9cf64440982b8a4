"""Where a call goes."""

import pytest

from penstock.core.errors import InvalidPath, InvalidProvider
from penstock.features.routing import NativeRouting
from penstock.gateway.compile import upstreams
from penstock.testing.exchange import an_exchange

ROUTING = NativeRouting(upstreams({}))


def plan(provider, path, routing=ROUTING):
    return routing.plan(an_exchange(provider=provider, path=path.decode()))


def test_the_path_names_the_one_target():
    (target,) = plan("openai", b"chat/completions").targets
    assert (target.provider, target.path) == ("openai", b"/v1/chat/completions")
    assert target.upstream.host == b"api.openai.com"
    assert target.endpoint.dialect == "openai_chat"


def test_calls_to_one_address_share_a_plan_and_others_do_not():
    assert plan("openai", b"chat/completions") is plan("openai", b"chat/completions")
    assert plan("openai", b"chat/completions") is not plan("anthropic", b"chat/completions")


def test_no_memory_is_held_for_addresses_without_end():
    routing = NativeRouting(upstreams({}))
    for number in range(2000):
        plan("openai", b"x/%d" % number, routing)
    plan("openai", b"y" * 60_000, routing)
    assert len(routing._made) <= 256
    assert all(len(path) < 1000 for _, path in routing._made)


def test_a_provider_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(InvalidProvider, match="anthropic, openai") as caught:
        plan("nobody", b"x")
    assert (caught.value.status, caught.value.code) == (400, 2008)


@pytest.mark.parametrize("path", [b"../x", b"x/%2e%2e/y", b"a\x00", b"%0a"])
def test_a_path_that_leaves_its_place_is_refused_every_time(path):
    for _ in range(2):
        with pytest.raises(InvalidPath):
            plan("openai", path)
