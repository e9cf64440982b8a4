"""Who may call, and what of a request stays here."""

import base64
import hashlib
import json
import time
from urllib.parse import quote

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from penstock.core import passes
from penstock.core.errors import Unauthorized
from penstock.core.exposition import render
from penstock.core.sealing import Vault
from penstock.core.telemetry import Telemetry
from penstock.features.auth import Auth, Keyring, OpenAuth
from penstock.model.caller import NOBODY
from penstock.model.token import SCOPES, Scope
from penstock.wire.credentials import OWN, PLACES
from tests.kit.exchange import an_exchange
from tests.kit.house import house, request
from tests.kit.store import ACCOUNT, MASTER_KEY, SECRET, a_token

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
FOREIGN = {"of another account", "for another gateway"}  # to these the gateway is not there
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
    closed = {"authentication": True}
    gateways = {"on": closed, "off": {}, "silent": closed | {"collect_logs": False}}
    gateways |= {"without-payloads": closed | {"collect_log_payloads": False}}
    known = [*TOKENS.values(), a_token(FULL_OF_MARKS)]
    async with house(gateways=gateways, tokens=known, accounts=[OTHER]) as made:
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
                refused = (400, 2001) if kind in FOREIGN else (401, 2009)
                assert (answer.status, json.loads(answer.body)["error"][0]["code"]) == refused
                assert (row.status_code, row.outcome, row.cost) == (answer.status, "refused", 0)
                assert (row.gateway == 0) == (kind in FOREIGN)
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
async def test_a_refusal_does_not_say_whether_a_token_is_unknown_or_lacks_a_permission(there):
    bodies = set()
    async with there.client() as client:
        for kind in ("unknown", "without Run"):
            headers = {"cf-aig-authorization": f"Bearer {SECRETS[kind]}"}
            bodies.add((await client.ask(request(gateway="on", headers=headers))).body)
    assert len(bodies) == 1


def told(answer):
    """All of an answer but the call's own ids and the time."""
    lines = answer.head.split(b"\r\n")
    own = (b"cf-aig-log-id: ", b"cf-aig-request-id: ", b"date: ")
    return [line.split(b" ")[0] if line.lower().startswith(own) else line for line in lines], answer.body


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", sorted(FOREIGN))
@pytest.mark.parametrize("gateway", ["on", "silent", "without-payloads"])
async def test_to_a_token_that_may_not_know_of_a_gateway_there_is_none(there, gateway, kind):
    """The answer and the row are those of a gateway that is not there, whatever the gateway's own settings."""
    answers, rows = [], []
    async with there.client() as client:
        for name in (gateway, "nowhere"):
            event = f"{kind} knocks"
            headers = {"cf-aig-authorization": f"Bearer {SECRETS[kind]}", "cf-aig-collect-log": "false"}
            answers.append(told(await client.ask(request(gateway=name, headers=headers, event=event))))
            row = (await there.rows(event, len(rows) + 1))[-1]
            rows.append((row.gateway, row.status_code, row.request, json.loads(row.detail) | {"timings": None}))
    assert answers[0] == answers[1]
    assert rows[0] == rows[1]
    assert rows[0][:3] == (0, 400, None)
    there.sink.records.clear()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", [None, "unknown", "expired", *sorted(FOREIGN)])
@pytest.mark.parametrize("logs", [True, False])
async def test_at_the_address_of_default_nobody_learns_whether_it_is_there(kind, logs):
    headers = {"cf-aig-authorization": f"Bearer {SECRETS[kind]}"} if kind else {}
    answers = []
    for gateways in ({}, {"default": {"authentication": True, "collect_logs": logs}}):
        async with house(gateways=gateways, tokens=TOKENS.values(), accounts=[OTHER]) as made, made.client() as client:
            answers.append(told(await client.ask(request(headers=headers, event="knock"))))
            foreign = (await made.row("knock")).gateway == 0
            assert foreign or (gateways and logs and kind not in FOREIGN)
    assert answers[0] == answers[1]
    assert answers[0][0][0] == b"HTTP/1.1 401 Unauthorized"


# Passes


def a_pass(kind, *, age=0):
    """A pass for a token, made ``age`` milliseconds ago."""
    return passes.new(Vault(MASTER_KEY), TOKENS[kind].hash, time.time_ns() // 1_000_000 - age).text


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", TOKENS)
@pytest.mark.parametrize(
    "place", ["cf-aig-authorization", "authorization", "x-api-key", "x-goog-api-key", "api-key", "xi-api-key"]
)
async def test_a_pass_opens_what_its_token_opens_and_does_not_travel(there, kind, place):
    sent, event = a_pass(kind), f"pass {kind} {place}"
    async with there.client() as client:
        headers = {place: f"Bearer {sent}", "x-mock-echo": "1"}
        answer = await client.ask(request("openai/models", gateway="on", headers=headers, body=b"{}", event=event))
    row = await there.row(event)
    assert sent not in answer.body.decode() + answer.head.decode() + str(row)
    if kind.startswith("valid"):
        assert answer.status == 200
        assert json.loads(row.detail)["token"] == TOKENS[kind].id
        assert place not in {name.lower() for name, _ in json.loads(answer.body)["headers"]}
    else:
        assert answer.status == (400 if kind in FOREIGN else 401)


NO_PASSES = {
    "too old": (a_pass("valid", age=300_000), "openai/models"),
    "of a token that is gone": (passes.new(Vault(MASTER_KEY), b"g" * 32, 1 << 50).text, "openai/models"),
    "of another key": (passes.new(Vault(b"x" * 32), TOKENS["valid"].hash, 1 << 50).text, "openai/models"),
    "in a query": (a_pass("valid"), "openai/models?key={}"),
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("which", NO_PASSES)
async def test_what_is_no_good_pass_opens_nothing_and_does_not_travel(there, which):
    sent, path = NO_PASSES[which]
    headers = {"x-mock-echo": "1"} | ({} if "{}" in path else {"authorization": f"Bearer {sent}"})
    async with there.client() as client:
        refused = await client.ask(request(path.format(sent), gateway="on", headers=headers, body=b"{}"))
        answer = await client.ask(request(path.format(sent), gateway="off", headers=headers, body=b"{}"))
    assert (refused.status, answer.status) == (401, 200)
    assert sent not in answer.body.decode()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_pass_opens_nothing_on_the_control_plane(there):
    made = passes.new(Vault(MASTER_KEY), a_token().hash, time.time_ns() // 1_000_000).text
    statuses = []
    async with there.client() as client:
        for secret in (SECRET, made):
            for header in (f"authorization: Bearer {secret}", f"x-auth-user-service-key: {secret}"):
                answer = await client.ask(
                    f"GET /client/v4/user/tokens/verify HTTP/1.1\r\nhost: x\r\n{header}\r\n\r\n".encode()
                )
                statuses.append(answer.status)
    assert statuses == [200, 200, 401, 401]


# Where tokens come that open nothing there, and yet stay

BARE, LIKE = SECRETS["valid and of the operator's making"], "pst_revoked_0123456789"
WHOLE = "pst_" + "A1b2C3d4" * 5 + "0123abcd"  # as core.secrets makes them
FULL_OF_MARKS = "T.with=marks:in/it+and,such=="


def basic(text, **alphabet):
    return "Basic " + base64.b64encode(text.encode(), **alphabet).decode()


KEPT = [
    *[
        (place, form.format(secret))
        for secret in (BARE, LIKE, FULL_OF_MARKS)
        for place in ("authorization", "x-api-key", "x-auth-token")
        for form in (
            'Bearer "{}"',
            "Bearer '{}'",
            "Token token={}",
            'Token token="{}"',
            "Bearer:{}",
            "token:{}",
            "<{}>",
        )
        if LIKE in form.format(secret) or place != "x-auth-token"
    ],
    *[
        ("authorization", basic(text, **alphabet).rstrip(end))
        for text in (
            f"user:{BARE}",
            f"{BARE}:",
            f"{BARE}:x",
            BARE,
            f":{LIKE}",
            f"u\u00ff\u00be:{BARE}",
            f"u:{FULL_OF_MARKS}",
        )
        for alphabet in ({}, {"altchars": b"-_"})
        for end in ("", "=")
    ],
    ("authorization", f"realm=x, {basic('user:' + BARE)}"),
    ("authorization", f"Bearer sk-theirs, {BARE}"),
    ("authorization", f"{BARE} Bearer"),
    ("sec-websocket-protocol", f"cf-aig-authorization.{BARE}"),
    ("sec-websocket-protocol", "cf-aig-authorization.no-longer-known-token"),
    ("sec-websocket-protocol", f"realtime, openai-insecure-api-key.{BARE}, v1"),
    ("sec-websocket-protocol", f"realtime, {BARE}"),
    ("sec-websocket-protocol", f"realtime, x.{LIKE}"),
    ("sec-websocket-protocol", BARE),
    ("x-my-token", LIKE),
    ("x-my-token", f"Bearer {LIKE}"),
    ("x-my-token", f'{{"token":"{LIKE}"}}'),
    ("user-agent", f"own/1 ({LIKE})"),
    *[
        ("?", form.format(name, quote(secret, safe=safe)))
        for name in ("api-key", "api_key", "apikey", "access_token", "token", "key", "KEY", "k%65y", "any_name")
        for form in ("a=1&{}={}&b=2", "a=1;{}={};b=2", "{}={}&a=1;b=2", "a=1&b=2;{}={}")
        for secret in (BARE, LIKE)
        for safe in ("", "+")
    ],
    ("?", f"a=1&key=Bearer+{quote(BARE)}"),
    ("?", f"a=1&token=%22{BARE}%22"),
    ("?", f"a=1&x=%70st_revoked&{LIKE}&{LIKE}=1&b=2"),
    *[
        ("?", f"a=1&{form.format(secret)}&b=2")
        for secret in (BARE, LIKE, quote(BARE, safe=""), LIKE.replace("pst_", "%70%73%74%5f"))
        for form in (
            "{}",
            "{}=1",
            "{},=1",
            "a=Bearer%20{}",
            "authorization=Bearer+{}",
            "a[]={},",
            "url=https://x/?key={}",
            "url=https%3A%2F%2Fx%2F%3Fkey%3D{}%26a%3D1",
            "j=%7B%22token%22:%22{}%22%7D",
            "j=[{}]",
            "X-Amz-Credential={}%2F20260101%2Fx%2Fs3%2Faws4_request",
        )
    ],
    ("?", f"a=1&x=%2570st_revoked&{quote(WHOLE)}&q=x{WHOLE}&x{WHOLE}=1&b=2"),
    *[
        ("authorization", f"AWS4-HMAC-SHA256 Credential={secret}/{scope}, SignedHeaders=host, Signature=00")
        for secret in (BARE, LIKE)
        for scope in ("20260101/us-east-1/bedrock/aws4_request", "2026/aws4_request")
    ],
    *[
        (name, value)
        for name in ("openai-organization", "x-ms-token-aad", "x-amz-security-token", "x-foo")
        for value in (LIKE, f"x{WHOLE}", LIKE.replace("pst_", "%70%73t_"), f"a%20{LIKE}", "p%2573t%5f0123456789")
    ],
    (LIKE.lower(), "1"),
]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("place", "value"), KEPT)
async def test_a_token_does_not_travel_in_a_place_where_it_opens_nothing(there, place, value):
    query, headers = (value, {}) if place == "?" else ("a=1&b=2", {place: value})
    async with there.client() as client:
        answer = await client.ask(
            request(f"openai/models?{query}", gateway="off", headers=headers | {"x-mock-echo": "1"}, body=b"{}")
        )
    assert answer.status == 200
    got = json.loads(answer.body)
    assert place not in {name.lower() for name, _ in got["headers"]}
    _, _, sent = got["target"].partition("?")
    assert sent in {"a=1&b=2", "a=1;b=2", "a=1"}


TRAVELS = [
    ("authorization", 'Digest username="user", realm="x", response="0123456789abcdef0123456789abcdef"'),
    ("authorization", basic("user:a-password-of-their-own")),
    ("authorization", "Basic %%%"),
    ("authorization", "Bearer ya29.not:ours=="),
    ("authorization", "Bearer sk-some-pst_within-it"),
    ("authorization", "Bearer sk-upst_within-it"),
    ("sec-websocket-protocol", "realtime, openai-insecure-api-key.sk-theirs"),
    ("x-my-header", "tapst_x"),
    ("x-my-header", "100%25 ta%70st_x"),
    ("authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/x/s3/aws4_request, Signature=00"),
    ("?", "a=1;b=2&key=AIza-theirs-0123456789&token=&access_token=unused;c=%3B&&;&=&x"),
    ("?", "q=tapst_x&text=a+b%20c"),
    ("?", "url=https://x/?key=AIza-theirs-0123456789&a[]=0123456789-0123456789,&0123456789-0123456789-01234=1"),
    ("?", "cursor=MDEyMzQ1Njc4OTAxMjM0NTY3ODk=&j=%7B%22a%22:%22Bearer%20of-somebody-else-at-all%22%7D"),
]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("place", "value"), TRAVELS)
async def test_what_is_not_ours_travels_as_it_came(there, place, value):
    query, headers = (value, {}) if place == "?" else ("a=1", {place: value})
    async with there.client() as client:
        answer = await client.ask(
            request(f"openai/models?{query}", gateway="off", headers=headers | {"x-mock-echo": "1"}, body=b"{}")
        )
    got = json.loads(answer.body)
    assert got["target"].endswith(f"?{query}")
    assert place == "?" or [place, value] in got["headers"]


def test_a_token_opens_nothing_where_browsers_put_their_credentials():
    with pytest.raises(Unauthorized):
        auth().identify(asked((b"sec-websocket-protocol", SECRETS["valid"].encode())))


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
    metrics = render(there.server.app.telemetry.report()).decode()
    assert 'penstock_credentials_refused_total{plane="data",reason="expired"}' in metrics


@pytest.mark.asyncio(loop_scope="module")
async def test_an_open_gateway_is_open_to_foreign_tokens_too(there):
    async with there.client() as client:
        for kind in FOREIGN:
            answer = await client.ask(request(gateway="off", headers={"cf-aig-authorization": SECRETS[kind]}))
            assert answer.status == 200


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
