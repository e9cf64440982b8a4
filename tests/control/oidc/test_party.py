"""The two steps of a sign-in, against an identity provider on a socket that behaves, and that does not."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from penstock.backends.http.dialer import Dialer
from penstock.backends.http.limits import Limits
from penstock.backends.http.transport import HttpTransport
from penstock.control.oidc import fetch, provider
from penstock.control.oidc.party import Party, Refused
from penstock.core.addresses import PUBLIC
from penstock.core.deadlines import Deadlines
from penstock.core.outbox import Outbox
from penstock.core.proxies import Proxies
from penstock.core.sealing import Vault
from penstock.core.settings import Settings
from tests.kit.idp import CLIENT, SECRET, identifying, said
from tests.kit.store import MASTER_KEY

BACK = "http://penstock.example/ui/sign-in/oidc/callback"
VAULT = Vault(MASTER_KEY)
DISCOVERY = "/.well-known/openid-configuration"


@asynccontextmanager
async def meeting(secret=SECRET):
    """An identity provider, and Penstock as its client."""
    loop = asyncio.get_running_loop()
    deadlines = Deadlines(loop)
    transport = HttpTransport(
        *(deadlines, Outbox(loop, {}), Limits(5.0, 5.0, 5.0), Dialer(loop, 5.0, PUBLIC, Proxies.read({})), 8)
    )
    async with identifying() as idp:
        settings = replace(Settings(), oidc_issuer=idp.url, oidc_client_id=CLIENT, oidc_client_secret=secret)
        try:
            yield idp, Party(settings, transport)
        finally:
            transport.close()
            deadlines.stop()


async def signed_in(idp, party):
    """What is known of whoever signs in."""
    begun = await party.begin(VAULT, BACK, "/ui/logs")
    return await finished(party, begun, idp.authorize(begun.address))


async def finished(party, begun, address, **changes):
    came = dict(parse_qsl(urlsplit(address).query)) | changes
    return await party.finish(VAULT, begun.sealed, came, BACK)


async def refused(idp, party):
    with pytest.raises(Refused) as error:
        await signed_in(idp, party)
    return error.value


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"token_endpoint_auth_methods_supported": ["client_secret_post"]},
        {"token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic"]},
        {"authorization_response_iss_parameter_supported": True, "scopes_supported": ["openid"]},
    ],
)
async def test_whoever_agrees_at_the_provider_is_known(metadata):
    async with meeting() as (idp, party):
        idp.metadata = metadata
        known = await signed_in(idp, party)
        assert known.after == "/ui/logs"
        assert {"sub": "mia", "groups": ["ops"]}.items() <= known.claims.items()
        await signed_in(idp, party)
        assert sorted(idp.asked) == [DISCOVERY, "/keys", "/token", "/token"]  # the rest is remembered


async def test_what_is_asked_for_is_a_code_that_no_one_else_can_use():
    async with meeting() as (_, party):
        first, second = [await party.begin(VAULT, BACK, "/") for _ in range(2)]
        asked = dict(parse_qsl(urlsplit(first.address).query))
        assert (asked["scope"], asked["redirect_uri"]) == ("openid email profile", BACK)
        for secret in (asked["state"], asked["nonce"], asked["code_challenge"]):
            assert len(secret) == 43
            assert secret not in second.address + first.sealed


async def test_a_key_that_the_provider_has_changed_is_asked_for(monkeypatch):
    monkeypatch.setattr(provider, "AGAIN", 0.0)
    async with meeting() as (idp, party):
        await signed_in(idp, party)
        idp.rotate()
        await signed_in(idp, party)
        assert idp.asked.count("/keys") == 2


async def test_who_sends_tokens_with_unknown_keys_does_not_make_us_ask_each_time():
    async with meeting() as (idp, party):
        idp.signs = "another key"
        for _ in range(3):
            assert (await refused(idp, party)).status == 502
        assert idp.asked.count("/keys") == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"nonce": "another"}, "the nonce is not ours"),
        ({"nonce": None}, "the nonce is not ours"),
        ({"aud": "somebody else"}, "Audience"),
        ({"aud": [CLIENT, "somebody else"]}, "azp is not ours"),
        ({"azp": "somebody else"}, "azp is not ours"),
        ({"aud": None}, "aud"),
        ({"iss": "https://elsewhere.example"}, "Invalid issuer"),
        ({"exp": 1_700_000_000}, "expired"),
        ({"exp": None}, "exp"),
        ({"iat": 4_000_000_000}, "not yet valid"),
        ({"iat": None}, "iat"),
        ({"nbf": 4_000_000_000}, "not yet valid"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "it names nobody"),
        ({"sub": 7}, "must be a string"),
        ({"sub": "x" * 256}, "it names nobody, or somebody by a name that is too long"),
    ],
)
async def test_an_id_token_that_says_the_wrong_thing_is_not_believed(changes, reason):
    async with meeting() as (idp, party):
        idp.changes = changes
        error = await refused(idp, party)
        assert (error.status, reason in error.reason) == (502, True), error.reason
        assert "log of Penstock" in error.message


@pytest.mark.parametrize("signs", ["none", "None", "HS256", "another key"])
async def test_an_id_token_that_the_provider_did_not_sign_is_not_believed(signs):
    async with meeting() as (idp, party):
        idp.signs = signs
        error = await refused(idp, party)
        assert error.status == 502
        assert "is not taken" in error.reason or "no key" in error.reason


async def test_one_that_is_for_several_and_names_us_is_believed():
    async with meeting() as (idp, party):
        idp.changes = {"aud": [CLIENT, "somebody else"], "azp": CLIENT}
        await signed_in(idp, party)


HUGE = said(200, b'{"a":"' + b"a" * (fetch.LARGEST + 1) + b'"}')
ELSEWHERE = b"HTTP/1.1 302 Found\r\nlocation: /.well-known/openid-configuration\r\ncontent-length: 2\r\n\r\n{}"


@pytest.mark.parametrize("path", [DISCOVERY, "/keys", "/token"])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (HUGE, "more than"),
        (ELSEWHERE, "answered 302"),
        (said(500, {"error": "server_error"}), "answered 500"),
        (said(200, b"<html>"), "no JSON object"),
        (said(200, [1]), "no JSON object"),
        (b"garbage\r\n\r\n", ""),
        (said(200, {"keys": 3}), ""),
    ],
)
async def test_a_provider_that_answers_otherwise_than_it_should_signs_nobody_in(path, answer, reason):
    async with meeting() as (idp, party):
        idp.instead[path] = answer
        error = await refused(idp, party)
        assert (error.status, reason in error.reason) == (502, True), error.reason
        assert SECRET not in error.reason


async def test_a_provider_that_is_slow_is_waited_for_for_a_while_and_is_not_asked_again_at_once(monkeypatch):
    monkeypatch.setattr(fetch, "PATIENCE", 0.05)
    async with meeting() as (idp, party):
        idp.silent.set()
        assert "took longer" in (await refused(idp, party)).reason
        assert "took longer" in (await refused(idp, party)).reason
        assert len(idp.asked) <= 1  # on a busy machine it may not have come that far
        idp.silent.clear()
        monkeypatch.undo()
        monkeypatch.setattr(provider, "FAILED", 0.0)
        await signed_in(idp, party)


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
async def test_a_discovery_document_that_leads_astray_is_not_followed(metadata):
    async with meeting() as (idp, party):
        idp.metadata = metadata
        assert "discovery document" in (await refused(idp, party)).reason


async def test_what_the_provider_names_elsewhere_must_be_a_public_address():
    async with meeting() as (idp, party):
        idp.metadata = {"token_endpoint": "https://10.0.0.1/token"}
        assert "not public" in (await refused(idp, party)).reason


async def test_what_comes_back_must_belong_to_a_sign_in_of_this_browser():
    async with meeting() as (idp, party):
        begun, other = [await party.begin(VAULT, BACK, "/") for _ in range(2)]
        address = idp.authorize(begun.address)
        for sealed, changes in (
            (other.sealed, {}),
            (begun.sealed, {"state": ""}),
            ("", {}),
            ("v1.AAAA", {}),
            (VAULT.seal("{}", "oidc", "sign-in"), {}),
        ):
            with pytest.raises(Refused) as error:
                await finished(party, begun._replace(sealed=sealed), address, **changes)
            assert (error.value.status, "Begin again" in error.value.message) == (400, True)
        with pytest.raises(Refused) as error:
            await finished(party, begun, address, iss="https://elsewhere.example")
        assert error.value.status == 502
        with pytest.raises(Refused) as error:
            await finished(party, begun, address, error="access_denied\u202e<b>")
        assert error.value.status == 403
        assert "access_denied\\u202e<b>" in error.value.message
        assert "/token" not in idp.asked
        await finished(party, begun, address)
        with pytest.raises(Refused) as error:  # a code is good once
            await finished(party, begun, address)
        assert "invalid_grant" in error.value.reason


async def test_a_sign_in_that_takes_too_long_is_none(monkeypatch):
    monkeypatch.setattr("penstock.control.oidc.party.LASTS", 0)
    async with meeting() as (idp, party):
        assert (await refused(idp, party)).status == 400


async def test_a_secret_that_the_provider_does_not_know_signs_nobody_in():
    async with meeting("another") as (idp, party):
        error = await refused(idp, party)
        assert "401, invalid_client" in error.reason
        assert "another" not in error.reason
