"""Who may call, and what of a request stays here."""

import hashlib
import json
import time
from urllib.parse import quote

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.errors import Unauthorized
from penstock.core.telemetry import Telemetry
from penstock.features.auth import NOBODY, OWN, PLACES, Auth, Keyring, OpenAuth
from penstock.model.token import SCOPES, Scope
from penstock.testing.exchange import an_exchange
from penstock.testing.house import house, request
from penstock.testing.store import ACCOUNT, a_token

OTHER = "f" * 32
TOKENS = {
    "valid": a_token("pst_valid_0123456789", scopes=frozenset({Scope.RUN})),
    "valid for this gateway": a_token("pst_here_0123456789", gateways=frozenset({"on", "off", "default"})),
    "valid for a while": a_token("pst_while_0123456789", expires_at=time.time_ns() // 1_000_000 + 3_600_000),
    "valid and of the operator's making": a_token("S3cret+of/my.own~making"),
    "of another account": a_token("pst_other_0123456789", account=OTHER),
    "without Run": a_token("pst_read_0123456789", scopes=frozenset(SCOPES) - {Scope.RUN}),
    "for another gateway": a_token("pst_elsewhere_0123456789", gateways=frozenset({"elsewhere"})),
    "expired": a_token("pst_expired_0123456789", expires_at=1),
}
SECRETS = {kind: token.name for kind, token in TOKENS.items()} | {"unknown": "pst_unknown_0123456789"}
KEYRING = Keyring(Telemetry(), {token.hash: token for token in TOKENS.values()})
FORMS = [  # places as headers, or as a query
    ("cf-aig-authorization", "Bearer {}"),
    ("cf-aig-authorization", "{}"),
    ("authorization", "Bearer {}"),
    ("authorization", "bearer  {} "),
    ("authorization", "Token {}"),
    ("x-api-key", "{}"),
    ("x-goog-api-key", "{}"),
    ("api-key", "{}"),
    ("xi-api-key", "{}"),
    ("token", "{}"),
    ("?key", "{}"),
    ("?api_key", "{}"),
]


def auth(*, on=True):
    return (Auth if on else OpenAuth)(KEYRING)


def asked(*headers, query=b""):
    ex = an_exchange(*headers)
    ex.request.query = query
    return ex


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    gateways = {"on": {"authentication": True}, "off": {}}
    async with house(gateways=gateways, tokens=TOKENS.values(), accounts=[OTHER]) as made:
        yield made


def placed(place, form, secret):
    """A path and headers with the secret in its place."""
    if place.startswith("?"):
        return f"openai/models?a=1&{place[1:]}={quote(form.format(secret), safe='')}&b=2", {}
    return "openai/models?a=1&b=2", {place: form.format(secret)}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("place", "form"), FORMS)
@pytest.mark.parametrize("kind", SECRETS)
async def test_a_valid_token_lets_in_wherever_it_stands_and_none_travels(there, kind, place, form):
    secret = SECRETS[kind]
    path, headers = placed(place, form, secret)
    async with there.client() as client:
        for gateway in ("on", "off"):
            event = f"{gateway} {kind} {place} {form}"
            answer = await client.ask(
                request(path, gateway=gateway, headers=headers | {"x-mock-echo": "1"}, body=b"{}", event=event)
            )
            row = await there.row(event)
            valid = kind.startswith("valid")
            assert secret not in answer.body.decode() + answer.head.decode() + str(row)
            assert json.loads(row.detail).get("token") == (TOKENS[kind].id if valid else None)
            if valid or gateway == "off":
                assert answer.status == 200
                assert json.loads(answer.body)["target"].endswith("?a=1&b=2")
            else:
                assert (answer.status, row.status_code, row.outcome) == (401, 401, "refused")
                assert json.loads(answer.body)["error"][0]["code"] == 2009
                assert answer.headers["cf-aig-log-id"]


@pytest.mark.asyncio(loop_scope="module")
async def test_without_a_token_only_an_open_gateway_lets_in(there):
    async with there.client() as client:
        key = {"authorization": "Bearer sk-theirs"}
        assert (await client.ask(request(gateway="off", headers=key))).status == 200
        answer = await client.ask(request(gateway="on", headers=key))
    assert answer.status == 401
    told = json.loads(answer.body)
    assert (told["success"], told["error"][0]["code"], told["httpCode"]) == (False, 2009, 401)
    assert told["message"].startswith("Unauthorized")
    assert "cf-aig-authorization" in told["message"]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_refusal_does_not_say_whether_account_scope_or_gateway_is_wrong(there):
    bodies = set()
    async with there.client() as client:
        for kind in ("unknown", "of another account", "without Run", "for another gateway"):
            headers = {"cf-aig-authorization": f"Bearer {SECRETS[kind]}"}
            bodies.add((await client.ask(request(gateway="on", headers=headers))).body)
    assert len(bodies) == 1


@pytest.mark.asyncio(loop_scope="module")
async def test_the_providers_key_travels_beside_ours(there):
    secret = SECRETS["valid"]
    headers = {"cf-aig-authorization": f"Bearer {secret}", "Authorization": "Bearer sk-theirs", "x-api-key": secret}
    async with there.client() as client:
        answer = await client.ask(
            request("openai/models?key=AIza", gateway="on", headers=headers | {"x-mock-echo": "1"}, body=b"{}")
        )
    told = json.loads(answer.body)
    assert ["Authorization", "Bearer sk-theirs"] in told["headers"]
    assert told["target"].endswith("?key=AIza")
    assert secret not in str(told)


PLACEHOLDERS = [
    ("authorization", ""),
    ("authorization", "Bearer"),
    ("authorization", "Bearer "),
    ("authorization", "Bearer CF_TEMP_TOKEN"),
    ("authorization", "Bearer unused"),
    ("x-api-key", "CF_TEMP_TOKEN"),
    ("x-api-key", "unused"),
    ("x-goog-api-key", "CF_TEMP_TOKEN"),
    ("api-key", "CF_TEMP_TOKEN"),
    ("xi-api-key", "CF_TEMP_TOKEN"),
    ("authorization", "Bearer pst_mistyped, Bearer x"),
    ("authorization", "Bearer: pst_mistyped"),
    ("authorization", f"Bearer {SECRETS['valid']} trailing"),
    ("authorization", f"Bearer {SECRETS['valid and of the operator' + chr(39) + 's making']}, Bearer x"),
    ("authorization", f"Bearer: {SECRETS['valid and of the operator' + chr(39) + 's making']}"),
]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("place", "value"), PLACEHOLDERS)
async def test_what_stands_for_no_key_does_not_travel(there, place, value):
    async with there.client() as client:
        answer = await client.ask(
            request("openai/models", gateway="off", headers={place: value, "x-mock-echo": "1"}, body=b"{}")
        )
    assert answer.status == 200
    assert place not in {name.lower() for name, _ in json.loads(answer.body)["headers"]}


@pytest.mark.asyncio(loop_scope="module")
async def test_nothing_meant_for_the_gateway_travels(there):
    ours = {
        "cf-aig-authorization": "Bearer x",
        "CF-AIG-Metadata": '{"a":1}',
        "cf-aig-anything": "1",
        "cf-skip-cache": "true",
        "cf-cache-ttl": "60",
        "x-auth-key": SECRETS["valid"],
    }
    async with there.client() as client:
        answer = await client.ask(
            request("openai/models", gateway="off", headers=ours | {"x-mock-echo": "1"}, body=b"{}")
        )
    sent = {name.lower() for name, _ in json.loads(answer.body)["headers"]}
    assert sent.isdisjoint(name.lower() for name in ours)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_refusal_is_answered_before_a_body_is_asked_for(there):
    async with there.client() as client:
        headers = {"content-length": "9000000", "expect": "100-continue"}
        await client.send(request(gateway="on", headers=headers, body=None, event="expecting"))
        answer = await client.answer()
        assert (answer.status, answer.interim, answer.headers["connection"]) == (401, [], "close")
        assert await client.rest() == b""
    row = await there.row("expecting")
    assert (row.request, row.request_size) == (None, 0)


@pytest.mark.asyncio(loop_scope="module")
async def test_nothing_of_a_body_that_came_uninvited_is_kept(there):
    async with there.client() as client:
        assert (await client.ask(request(gateway="on", body=b"a prompt", event="uninvited"))).status == 401
        assert (await client.ask(request(gateway="off"))).status == 200  # the connection serves on
    row = await there.row("uninvited")
    assert (row.request, row.response) == (None, None)


@pytest.mark.asyncio(loop_scope="module")
async def test_refused_credentials_are_counted_with_their_reasons(there):
    refused = there.server.app.telemetry.refused.values
    reasons = {
        "missing": {},
        "unknown": {"cf-aig-authorization": SECRETS["unknown"]},
        "malformed": {"cf-aig-authorization": "Bearer: x"},
        "expired": {"cf-aig-authorization": SECRETS["expired"]},
        "account": {"authorization": f"Bearer {SECRETS['of another account']}"},
        "scope": {"x-api-key": SECRETS["without Run"]},
        "gateway": {"cf-aig-authorization": SECRETS["for another gateway"]},
    }
    async with there.client() as client:
        for reason, headers in reasons.items():
            before = refused.get(("data", reason), 0)
            await client.ask(request(gateway="on", headers=headers))
            assert refused["data", reason] == before + 1
            await client.ask(request(gateway="off", headers=headers))
            assert refused["data", reason] == before + 1
    metrics = there.server.app.telemetry.render().decode()
    assert 'penstock_credentials_refused_total{plane="data",reason="expired"}' in metrics


@pytest.mark.asyncio(loop_scope="module")
async def test_a_wrong_account_answers_as_an_unknown_gateway_whatever_the_token(there):
    answers = set()
    async with there.client() as client:
        for account, gateway in ((ACCOUNT, "nowhere"), (OTHER, "on"), ("0" * 32, "on"), (OTHER, "nowhere")):
            for headers in ({}, {"cf-aig-authorization": SECRETS["valid"]}):
                data = request(gateway=gateway, headers=headers).replace(ACCOUNT.encode(), account.encode(), 1)
                answer = await client.ask(data)
                answers.add((answer.status, answer.body))
    ((status, body),) = answers
    assert (status, json.loads(body)["error"][0]["code"]) == (400, 2001)


# By themselves


@pytest.mark.parametrize("value", [b"", b"Bearer", b"bearer ", b"Bearer undefined", b"undefined"])
def test_words_for_no_token_count_as_none(value):
    with pytest.raises(Unauthorized, match="no gateway token came"):
        auth().identify(asked((OWN, value)))
    valid = SECRETS["valid"].encode()
    assert auth().identify(asked((OWN, value), (b"authorization", b"Bearer " + valid))).token == TOKENS["valid"].id


@pytest.mark.parametrize("scheme", [b"Bearer: ", b"Token ", b"Bearer Bearer ", b"Basic "])
def test_our_own_header_takes_bearer_or_the_bare_token(scheme):
    with pytest.raises(Unauthorized, match="Bearer <token>"):
        auth().identify(asked((OWN, scheme + SECRETS["valid"].encode())))


def test_our_own_header_goes_before_the_others():
    first, second = TOKENS["valid"], TOKENS["valid for this gateway"]
    both = [(b"x-api-key", second.name.encode()), (OWN, first.name.encode())]
    found = auth().identify(asked(*both))
    assert (found.token, found.bearer, found.places) == (first.id, first, {b"x-api-key"})
    broken = auth().identify(asked(both[0], (OWN, b"Bearer pst_unknown")))
    assert (broken.token, broken.places) == (second.id, {b"x-api-key"})


def test_every_line_of_a_header_that_comes_twice_is_looked_at():
    lines = [(b"authorization", b"Bearer sk-theirs"), (b"authorization", b"Bearer " + SECRETS["valid"].encode())]
    found = auth().identify(asked(*lines))
    assert (found.token, found.places) == (TOKENS["valid"].id, {b"authorization"})


@pytest.mark.parametrize("headers", [[], [(b"authorization", b"Bearer sk-theirs")], [(b"x-other", b"pst_x")]])
def test_a_caller_without_anything_of_ours_is_nobody(headers):
    assert auth(on=False).identify(asked(*headers, query=b"?key=AIza&alt=sse")) is NOBODY


_WORD = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=60).map(
    lambda text: text.encode("latin-1")
)


@given(
    st.lists(st.tuples(st.sampled_from([*sorted(PLACES), b"x-other", b"accept"]), _WORD), max_size=6),
    _WORD,
    st.sampled_from([None, *sorted(SECRETS)]),
    st.sampled_from(sorted(PLACES)),
)
def test_whatever_comes_beside_it_a_token_decides_alone(headers, query, kind, place):
    """No header or query that is not a token of ours opens or closes a gateway, or makes it stumble."""
    if kind is not None:
        headers = [*headers, (place, b"Bearer " + SECRETS[kind].encode())]
    ex = asked(*headers, query=b"?" + query if query else b"")
    if kind is not None and kind.startswith("valid"):
        assert auth().identify(ex).token == TOKENS[kind].id
    else:
        with pytest.raises(Unauthorized):
            auth().identify(ex)
    found = auth(on=False).identify(ex)
    if kind is not None and place != OWN:
        assert place in found.places


@given(_WORD, st.sampled_from(sorted(SECRETS)), st.sampled_from([b"key", b"k%65y", b"KEY", b"api_key"]), _WORD)
def test_a_token_in_the_query_is_cut_out_and_the_rest_stays_byte_for_byte(before, kind, name, after):
    rest = [part for part in (before + b"&" + after).split(b"&") if b"key" not in part.lower() and b"%" not in part]
    secret = quote(SECRETS[kind], safe="").encode()
    query = b"?" + b"&".join([*rest[:1], name + b"=" + secret, *rest[1:]])
    found = auth(on=False).identify(asked(query=query))
    assert found.query == (b"?" + b"&".join(rest) if rest else b"")
    assert found.token == (TOKENS[kind].id if kind.startswith("valid") else "")


def test_the_catalogues_credential_headers_are_places():
    assert {header.encode() for header in ("authorization", "x-api-key")} <= PLACES
    assert hashlib.sha256(b"x").digest() not in KEYRING.tokens
