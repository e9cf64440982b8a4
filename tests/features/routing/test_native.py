"""Where a call goes."""

import pytest

from penstock.core import secrets
from penstock.core.errors import InvalidPath, InvalidProvider
from penstock.features.routing.native import NativeRouting
from penstock.gateway.compile import upstreams
from tests.kit.exchange import an_exchange

ROUTING = NativeRouting(upstreams({}))


def target(provider, path, routing=ROUTING):
    return routing.target(an_exchange(provider=provider, path=path.decode()).request)


def test_the_path_names_the_one_target():
    found = target("openai", b"chat/completions")
    assert (found.provider, found.path) == ("openai", b"/v1/chat/completions")
    assert (found.origin.host, found.host) == ("api.openai.com", b"api.openai.com")
    assert found.endpoint.dialect == "openai_chat"


def test_calls_to_one_address_share_a_target_and_others_do_not():
    assert target("openai", b"chat/completions") is target("openai", b"chat/completions")
    assert target("openai", b"chat/completions") is not target("anthropic", b"chat/completions")


def test_no_memory_is_held_for_addresses_without_end():
    routing = NativeRouting(upstreams({}))
    for number in range(2000):
        target("openai", b"x/%d" % number, routing)
    target("openai", b"y" * 60_000, routing)
    assert len(routing._made) <= 256
    assert all(len(path) < 1000 for _, path in routing._made)


def test_a_provider_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(InvalidProvider, match="anthropic, aws-bedrock, azure, azure-openai, ") as caught:
        target("nobody", b"x")
    assert (caught.value.status, caught.value.code) == (400, 2008)


@pytest.mark.parametrize(("written", "meant"), [("OpenAI", "openai"), ("antropic", "anthropic")])
def test_a_misspelt_provider_is_answered_with_the_one_that_is_likely_meant(written, meant):
    with pytest.raises(InvalidProvider, match=rf"^Invalid provider '{written}': did you mean {meant}\?$"):
        target(written, b"x")


@pytest.mark.parametrize("path", [b"../x", b"x/%2e%2e/y", b"a\x00", b"%0a"])
def test_a_path_that_leaves_its_place_is_refused_every_time(path):
    for _ in range(2):
        with pytest.raises(InvalidPath):
            target("openai", path)


@pytest.mark.parametrize("token", [b"pst_0123456789", b"%70%73%74%5f0123456789", b"%2570st_0123456789"])
@pytest.mark.parametrize("form", [b"models/%b", b"%b/x", b"a:%b", b"a%%20%b", b"models/x%%2F%b"])
@pytest.mark.parametrize("provider", ["openai", "fal", "azure-openai"])
def test_a_path_that_holds_what_looks_like_ours_is_refused_every_time_and_not_repeated(provider, form, token):
    for _ in range(2):
        with pytest.raises(InvalidPath, match="holds what looks like a token") as caught:
            target(provider, form % token)
        assert "0123456789" not in caught.value.message
        assert (caught.value.status, caught.value.code) == (400, 2008)


def test_a_whole_token_is_found_within_a_word_and_four_signs_are_not():
    with pytest.raises(InvalidPath):
        target("openai", b"models/x" + secrets.new().encode())
    assert target("openai", b"models/upst_x").path == b"/v1/models/upst_x"


def test_a_token_in_the_place_of_a_provider_is_not_repeated():
    with pytest.raises(InvalidPath) as caught:
        target("pst_0123456789", b"x")
    assert "0123456789" not in caught.value.message


OWN = b"S3cret+of.my.own~making"
KNOWING = NativeRouting(upstreams({}), lambda secret: "ours" if secret == OWN else None)


def to_fal(rest):
    headers = (b"x-fal-target-url", b"https://fal.run/" + rest)
    target = KNOWING.target(an_exchange(headers, provider="fal", path="x").request)
    return target.path, target.query


@pytest.mark.parametrize(
    "parameter", [b"key=%b", b"token=%b", b"x=%b", b"%b", b"%b=1", b"k%%65y=%b", b"a=Bearer%%20%b", b"a[]=%b,"]
)
@pytest.mark.parametrize("token", [OWN, b"%53" + OWN[1:], b"".join(b"%%%02x" % sign for sign in OWN)])
def test_a_known_token_is_taken_out_of_the_query_of_a_target_that_a_header_names(parameter, token):
    assert to_fal(b"x?a=1&" + parameter % token + b"&b=%2F") == (b"/x", b"?a=1&b=%2F")
    assert to_fal(b"x?" + parameter % token) == (b"/x", b"")


@pytest.mark.parametrize("form", [b"%b", b"a/%b/x", b"a/x:%b", b"a/x=%b;y"])
@pytest.mark.parametrize("token", [OWN, b"%53" + OWN[1:]])
def test_a_known_token_in_the_path_of_such_a_target_is_refused(form, token):
    with pytest.raises(InvalidPath, match="holds what looks like a token") as caught:
        to_fal(form % token)
    assert "making" not in caught.value.message


def test_the_query_of_such_a_target_travels_as_it_came_where_none_of_it_is_ours():
    assert to_fal(b"x?a=%2F&b&url=https://a.example/0123456789abcdef?x=1") == (
        b"/x",
        b"?a=%2F&b&url=https://a.example/0123456789abcdef?x=1",
    )
    assert to_fal(b"x?") == (b"/x", b"?")


@pytest.mark.parametrize(("alias", "name"), [("azure", "azure-openai"), ("bedrock", "aws-bedrock"), ("xai", "grok")])
def test_a_call_by_another_name_of_a_provider_is_told_under_its_own(alias, name):
    found = target(alias, b"bedrock-runtime/us-east-1/x")
    assert found.provider == name


def test_a_target_that_a_header_names_is_nobody_elses():
    routing = NativeRouting(upstreams({}))

    def path(*headers):
        target = routing.target(an_exchange(*headers, provider="fal", path="fal-ai/own").request)
        return target.host + target.path

    for _ in range(2):
        assert path((b"X-Fal-Target-Url", b"https://queue.fal.run/fal-ai/other")) == b"queue.fal.run/fal-ai/other"
        assert path() == b"fal.run/fal-ai/own"
    assert not routing._made


def test_a_provider_that_waits_for_its_address_is_refused_every_time():
    for _ in range(2):
        with pytest.raises(InvalidProvider, match="configuration file"):
            target("workers-ai", b"v1/chat/completions")
