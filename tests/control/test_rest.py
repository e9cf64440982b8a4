"""The manners of the control plane: who may, what a refusal looks like, and that it comes before the body is read."""

import asyncio
import json
import sqlite3

import httpx
import pytest
import pytest_asyncio
from fastapi.routing import APIRoute

from penstock.control.api import ROUTERS
from penstock.control.rest import MOST_MEMBERS, MOST_PARAMETERS
from penstock.model.token import SCOPES, Scope
from penstock.storage import sqlite_file
from tests.kit.client import connected
from tests.kit.house import house
from tests.kit.store import ACCOUNT, OPEN, SECRET, a_token

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER = "f" * 32
BASE = f"/client/v4/accounts/{ACCOUNT}"
GATEWAYS = f"{BASE}/ai-gateway/gateways"
VERIFY = "/client/v4/user/tokens/verify"
KEY = "a-key-with-an-email-address"


def only(scope):
    """The secret of a token with that permission alone."""
    return scope.replace(" ", "-")


TOKENS = [
    a_token(KEY, email="Ann@example.com"),
    a_token("no-key", email="ann@example.com", scopes=frozenset(SCOPES) - {Scope.WORKERS}),
    a_token("expired", expires_at=1),
    a_token("limited", gateways=frozenset({"mine"})),
    a_token("foreign", account=OTHER),
    *(a_token(only(scope), scopes=frozenset({scope})) for scope in SCOPES),
]

# Every operation, with what it needs, from the routes themselves.
PLACES = {"account_id": ACCOUNT, "gateway_id": "target", "log_id": "1", "token_id": "1", "config_id": "1"}
PLACES |= {
    "provider_id": "1",
    "provider": "openai",
    "route_id": "1",
    "version_id": "1",
    "alert_id": "1",
    "topup_id": "1",
    "document": "1.html",
}
OPERATIONS = [
    (method, route.path.format(**PLACES), getattr(route.endpoint, "scopes", None))
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods or ())
]
GUARDED = [operation for operation in OPERATIONS if operation[1] != VERIFY]
OWNED = [operation for operation in GUARDED if ACCOUNT in operation[1]]  # that of GraphQL is of any account
METHODS = {}  # of every address
for _method, _path, _ in OPERATIONS:
    METHODS.setdefault(_path, set()).add(_method)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house(
        tokens=TOKENS, accounts=[OTHER], gateways={"default": {}, "mine": {}, "target": {}, "victim": {}}
    ) as served:
        yield served


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(there):
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{there.server.port}") as client:
        yield client


def by(secret):
    return {"authorization": f"Bearer {secret}"}


ALL = by(SECRET)


def errors(answer, status, code):
    """The errors of a refusal, which is of the one shape."""
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert (told["success"], told["messages"], told["result"]) == (False, [], None)
    assert answer.headers["content-type"] == "application/json"
    assert (answer.headers.get("x-should-retry") == "false") == (status < 500)
    assert {error["code"] for error in told["errors"]} == {code}
    assert all(error["message"] for error in told["errors"])
    return told["errors"]


def head(method, path, headers):
    lines = [f"{method} {path} HTTP/1.1", "host: x", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def raw(there, request):
    """The answer to bytes that no library would send."""
    async with there.client() as client:
        answer = await client.ask(request)
    return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


# Credentials


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {SECRET}"},
        {"authorization": f"bearer {SECRET}"},
        {"authorization": f"BEARER   {SECRET} "},
        {"x-auth-email": "Ann@example.com", "x-auth-key": KEY},
        {"x-auth-email": " ann@EXAMPLE.com ", "x-auth-key": KEY},
        {"x-auth-user-service-key": SECRET},
        {"authorization": f"Bearer {SECRET}", "x-auth-key": "nonsense", "x-auth-email": "nobody"},
        {"authorization": f"Bearer {SECRET}", "api-version": "2026-01-01", "cookie": "a=b"},
    ],
)
async def test_every_form_of_credentials_is_understood(there, headers):
    for path in (VERIFY, GATEWAYS):
        answer = await raw(there, head("GET", path, headers))
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("headers", "status", "code", "cause"),
    [
        ({}, 400, 9106, None),
        ({"x-auth-email": "ann@example.com"}, 400, 9106, None),
        ({"x-auth-key": ""}, 400, 9106, None),
        ({"cookie": f"token={SECRET}"}, 400, 9106, None),
        ({"authorization": ""}, 400, 6003, 6111),
        ({"authorization": "Bearer"}, 400, 6003, 6111),
        ({"authorization": "Bearer "}, 400, 6003, 6111),
        ({"authorization": SECRET}, 400, 6003, 6111),
        ({"authorization": f"Basic {SECRET}"}, 400, 6003, 6111),
        ({"authorization": f"Bearer: {SECRET}"}, 400, 6003, 6111),
        ({"authorization": f"Bearer {SECRET} {SECRET}"}, 400, 6003, 6111),
        ({"authorization": f"Bearer {SECRET}x"}, 401, 10000, None),
        ({"authorization": f"Bearer {SECRET.upper()}"}, 401, 10000, None),
        ({"authorization": "Bearer \xe9\xff"}, 401, 10000, None),
        ({"authorization": "Bearer " + "x" * 30_000}, 401, 10000, None),
        ({"authorization": "Bearer nobody", "x-auth-user-service-key": SECRET}, 401, 10000, None),
        ({"x-auth-user-service-key": "nobody"}, 401, 10000, None),
        ({"x-auth-key": KEY}, 401, 10000, None),
        ({"x-auth-key": KEY, "x-auth-email": "bob@example.com"}, 401, 10000, None),
        ({"x-auth-key": "nobody", "x-auth-email": "ann@example.com"}, 401, 10000, None),
        ({"x-auth-key": "no-key", "x-auth-email": "ann@example.com"}, 401, 10000, None),
        ({"x-auth-key": SECRET, "x-auth-email": ""}, 401, 10000, None),
        ({"x-auth-key": SECRET, "x-auth-user-service-key": SECRET}, 401, 10000, None),
    ],
)
async def test_what_shows_nobody_is_refused(there, headers, status, code, cause):
    for path in (VERIFY, GATEWAYS):
        (error,) = errors(await raw(there, head("GET", path, headers)), status, code)
        chain = [] if cause is None else [{"code": cause, "message": error["message"]}]
        assert error.get("error_chain", []) == chain


async def test_an_expired_token_opens_nothing_but_the_answer_that_says_so(http):
    errors(await http.get(GATEWAYS, headers=by("expired")), 401, 10000)
    assert (await http.get(VERIFY, headers=by("expired"))).json()["result"]["status"] == "expired"


async def test_a_refused_caller_is_counted(there, http):
    counted = there.server.app.telemetry.refused.values
    before = counted.get(("control", "unknown"), 0), counted.get(("control", "email"), 0)
    await http.get(GATEWAYS, headers=by("nobody"))
    await http.get(GATEWAYS, headers={"x-auth-key": KEY, "x-auth-email": "bob@example.com"})
    assert (counted["control", "unknown"], counted["control", "email"]) == (before[0] + 1, before[1] + 1)


# Permissions


async def test_every_operation_below_an_account_names_its_permissions():
    assert [path for _, path, scopes in OPERATIONS if not scopes] == [VERIFY]
    assert all(scopes and set(scopes) <= set(SCOPES) for _, _, scopes in GUARDED)


@pytest.mark.parametrize(("method", "path", "needed"), GUARDED)
async def test_a_token_without_the_permission_is_refused_with_its_name(http, method, path, needed):
    for scope in SCOPES:
        answer = await http.request(method, path.replace("target", "victim"), headers=by(only(scope)))
        if scope in needed:
            assert answer.status_code not in {401, 403}, answer.text
        else:
            (error,) = errors(answer, 403, 10000)
            assert all(name in error["message"] for name in needed)


@pytest.mark.parametrize(("method", "path", "needed"), OWNED)
async def test_who_is_refused_learns_nothing_of_what_is_there(http, method, path, needed):
    """Another account's token, and one that is limited to other gateways, and the same for what never was."""
    nowhere = path.replace("target", "nowhere")
    for elsewhere in (path, nowhere, path.replace(ACCOUNT, "0" * 32)):
        errors(await http.request(method, elsewhere, headers=by("foreign")), 404, 7002)
    if "target" in path:
        there, not_there = [await http.request(method, p, headers=by("limited")) for p in (path, nowhere)]
        errors(there, 404, 7002)
        assert there.content == not_there.content


# Before the body is read


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path"), [("POST", GATEWAYS), ("PUT", f"{GATEWAYS}/default"), ("POST", f"{BASE}/tokens")]
)
@pytest.mark.parametrize("announced", [{"content-length": "900000"}, {"transfer-encoding": "chunked"}])
@pytest.mark.parametrize("expect", [{}, {"expect": "100-continue"}])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (JSON, 400),
        (JSON | {"authorization": "Basic x"}, 400),
        (JSON | by("nobody"), 401),
        (JSON | by(only(Scope.READ)), 403),
        (JSON | by("foreign"), 404),
        (ALL, 400),
        (ALL | {"content-type": "text/plain"}, 400),
    ],
)
async def test_a_refusal_does_not_wait_for_the_body(there, method, path, announced, expect, headers, status):
    async with there.client() as client:
        await client.send(head(method, path, headers | announced | expect))
        answer = await client.answer()
        assert (answer.status, answer.interim, answer.whole) == (status, [], True)
        assert answer.headers["connection"] == "close"
        assert await client.rest() == b""


async def test_a_body_that_is_too_large_is_refused_as_soon_as_that_is_known(there):
    async with there.client() as client:
        answer = await client.ask(head("POST", GATEWAYS, ALL | JSON | {"content-length": str((1 << 20) + 1)}))
        assert (answer.status, json.loads(answer.body)["errors"][0]["code"]) == (413, 7001)
    async with there.client() as client:
        await client.send(head("POST", GATEWAYS, ALL | JSON | {"transfer-encoding": "chunked"}))
        await client.send(b"100000\r\n" + b" " * (1 << 20) + b"\r\n1\r\n \r\n")
        answer = await client.answer()
        assert (answer.status, json.loads(answer.body)["errors"][0]["code"]) == (413, 7001)
        assert answer.headers["x-should-retry"] == "false"


async def test_a_body_may_have_just_a_mebibyte(http):
    made = json.dumps(dict(OPEN) | {"id": "large"})
    answer = await http.post(GATEWAYS, headers=ALL | JSON, content=made.ljust(1 << 20))
    assert answer.status_code == 200, answer.text


async def test_who_may_is_asked_to_go_on(there):
    body = json.dumps(dict(OPEN) | {"id": "expected"}).encode()
    async with there.client() as client:
        await client.send(
            head("POST", GATEWAYS, ALL | JSON | {"content-length": str(len(body)), "expect": "100-continue"})
        )
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(body)
        assert (await client.answer()).status == 200


# Bodies


def a_body(**changes):
    return json.dumps(dict(OPEN) | {"id": "new"} | changes)


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "nul",
        "{'id': 1}",
        '{"id": "new",}',
        '{"id": "\x00"}',
        a_body() + "x",
        b'{"id": "\xff"}',
        b"\xff",
        "[" * 500_000,
        '{"a":' * 100_000,
        '{"cache_ttl": ' + "9" * 5000 + "}",
        " ",
    ],
)
async def test_what_is_no_json_is_told_to_be_none(http, body):
    (error,) = errors(await http.post(GATEWAYS, headers=ALL | JSON, content=body), 400, 7001)
    assert error["path"] == ["body"]
    assert "JSON" in error["message"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("", []),
        ("null", []),
        ("[]", []),
        ('"text"', []),
        ("1", []),
        (a_body(cache_ttl=2**53), ["cache_ttl"]),
        (a_body(cache_ttl=10**400), ["cache_ttl"]),
        (a_body(cache_ttl="1"), ["cache_ttl"]),
        (a_body(cache_ttl=1.5), ["cache_ttl"]),
        (a_body(cache_ttl=True), ["cache_ttl"]),
        (a_body(cache_ttl=float("inf")), ["cache_ttl"]),
        (a_body(cache_ttl=float("nan")), ["cache_ttl"]),
        (a_body(collect_logs=1), ["collect_logs"]),
        (a_body(id="\x00"), ["id"]),
        (a_body(id="\ud800"), ["id"]),
        (a_body(store_id="\ud800"), ["store_id"]),
        (a_body(nope=1), ["nope"]),
        (a_body(**{"\ud800": 1}), []),
        (a_body(**{"": 1}), [""]),
        (a_body(otel=[{"url": "http://x", "headers": {}, "nope": 1}]), ["otel", 0, "nope"]),
        (a_body(otel=[{"url": "http://x", "headers": {"a b": ""}}]), ["otel", 0, "headers", "a b"]),
    ],
)
async def test_what_is_wrong_is_told_with_its_path(http, body, path):
    (error,) = errors(await http.post(GATEWAYS, headers=ALL | JSON, content=body), 400, 7001)
    assert error["path"] == ["body", *path]


async def test_of_two_members_of_one_name_the_last_counts(http):
    body = '{"cache_ttl": 1, ' + json.dumps(dict(OPEN) | {"id": "twice", "cache_ttl": 2})[1:]
    answer = await http.post(GATEWAYS, headers=ALL | JSON, content=body)
    assert answer.json()["result"]["cache_ttl"] == 2


async def test_an_integer_may_be_written_with_a_point(http):
    """Some languages write all numbers so, and JSON knows no difference."""
    answer = await http.post(GATEWAYS, headers=ALL | JSON, content=a_body(id="point", cache_ttl=60.0, retry_delay=1e3))
    assert '"cache_ttl":60,' in answer.text
    assert '"retry_delay":1000}' in answer.text


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ";", "json", ""]
)
async def test_a_body_of_another_kind_is_refused(http, kind):
    answer = await http.post(GATEWAYS, headers=ALL | {"content-type": kind}, content=a_body())
    (error,) = errors(answer, 400, 7001)
    assert error["path"] == ["header", "content-type"]
    assert "application/json" in error["message"]


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"]
)
async def test_json_goes_by_several_names(http, kind):
    answer = await http.post(GATEWAYS, headers=ALL | {"content-type": kind}, content=a_body(id="default"))
    errors(answer, 409, 7009)


async def test_all_that_is_wrong_is_told_at_once_but_not_without_end(http):
    answer = await http.post(GATEWAYS, headers=ALL | JSON, content=a_body(cache_ttl=-1, nope=1, id="A"))
    assert {error["path"][-1] for error in errors(answer, 400, 7001)} == {"cache_ttl", "nope", "id"}
    answer = await http.post(GATEWAYS, headers=ALL | JSON, content=json.dumps({f"a{n}": 1 for n in range(50_000)}))
    assert len(errors(answer, 400, 7001)) == 100
    answer = await http.post(f"{BASE}/tokens", headers=ALL | JSON, content='{"scopes": [' + "1," * 400_000 + "1]}")
    assert len(errors(answer, 400, 7001)) == 2


# Queries


LISTS = [GATEWAYS, f"{GATEWAYS}/default/logs", f"{BASE}/tokens", f"{BASE}/ai-gateway/audit-logs"]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("nope=1", "nope"),
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=x", "page"),
        ("page=", "page"),
        ("page=1.5", "page"),
        ("page=" + "9" * 30, "page"),
        ("per_page=0", "per_page"),
        ("per_page=1001", "per_page"),
        ("PAGE=1", "PAGE"),
        ("page%5B%5D=1", "page[]"),
        ("%00=1", "\x00"),
        ("=1", ""),
        ("page=1&page=2", "page"),
        ("per_page=5&page=1&per_page=5", "per_page"),
    ],
)
async def test_a_parameter_that_is_wrong_or_unknown_is_named(http, path, query, name):
    (error,) = errors(await http.get(f"{path}?{query}", headers=ALL), 400, 7001)
    assert error["path"] == ["query", name]


@pytest.mark.parametrize("path", LISTS)
async def test_past_the_end_there_is_an_empty_page(http, path):
    for page in (2, 10_000, 10_000_000):
        answer = await http.get(path, params={"page": page, "per_page": 50}, headers=ALL)
        told = answer.json()
        assert (answer.status_code, told["success"], told["result"]) == (200, True, [])
        assert (told["result_info"]["page"], told["result_info"]["count"]) == (page, 0)


# Methods and addresses


@pytest.mark.parametrize("path", METHODS)
async def test_another_method_is_refused_with_all_there_are(http, path):
    taken = METHODS[path] | ({"HEAD"} if "GET" in METHODS[path] else set())
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} - taken:
        answer = await http.request(method, path, headers=ALL)
        assert answer.status_code == 405
        assert {name.strip() for name in answer.headers["allow"].split(",")} == taken
        assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("path", [path for path in METHODS if "GET" in METHODS[path]])
async def test_head_answers_as_get_without_a_body(there, path):
    for headers in (ALL, {}, by("foreign")):
        async with there.client() as client:
            wanted = await client.ask(head("GET", path, headers))
            answer = await client.ask(head("HEAD", path, headers))
            assert answer.status == wanted.status
            assert answer.headers.keys() == wanted.headers.keys()
            assert answer.headers["content-length"] == str(len(wanted.body))
            following = await client.ask(head("GET", "/healthz", {}))  # nothing of a body came between
            assert following.status == 200


@pytest.mark.parametrize(
    "path",
    [
        *("/v0", "/client", "/client/v4", "/client/v4/", "/client/v4/nowhere", "/client/v5/user/tokens/verify"),
        *(BASE, f"{BASE}/", f"{BASE}/tokens/", f"{VERIFY}/", f"{GATEWAYS}/", f"{GATEWAYS}//", f"{GATEWAYS}/default/"),
        *(f"{GATEWAYS}/default/logs/", f"{GATEWAYS}/default/logs/1/nothing", f"//{GATEWAYS[1:]}", GATEWAYS.upper()),
        *("/docs/", "/openapi.json/", "/healthz/", "/redoc", "/%00"),
    ],
)
async def test_an_address_that_is_none_is_told_so_and_sends_nobody_elsewhere(there, path):
    for method in ("GET", "POST", "HEAD"):
        async with connected(there.server.port) as client:
            await client.send(head(method, path, ALL | {"content-length": "0"}))
            answer = await client.answer(head_only=method == "HEAD")
            assert (answer.status, answer.headers["content-type"]) == (404, "application/json")
            assert "location" not in answer.headers
            if method != "HEAD":
                (error,) = json.loads(answer.body)["errors"]
                assert error["code"] == 7003


@pytest.mark.parametrize("name", ["%2e%2e", "default%00", "%ff", "DEFAULT", "default%20", "x" * 5000, "%F0%9F%A6%A9"])
async def test_an_id_that_cannot_be_is_an_unknown_one(http, name):
    for method in ("GET", "DELETE"):
        errors(await http.request(method, f"{GATEWAYS}/{name}", headers=ALL), 404, 7002)


async def test_a_store_that_is_away_is_told_and_may_be_tried_again(there, http):
    file = sqlite_file.file_of(there.server.app.place.url)
    with sqlite3.connect(file) as connection:
        connection.execute("ALTER TABLE gateways RENAME TO elsewhere")
    try:
        answer = await http.get(GATEWAYS, headers=ALL)
        errors(answer, 503, 7000)
        assert answer.headers["retry-after"] == "1"
    finally:
        with sqlite3.connect(file) as connection:
            connection.execute("ALTER TABLE elsewhere RENAME TO gateways")
    assert (await http.get(GATEWAYS, headers=ALL)).status_code == 200


@pytest.mark.parametrize("inner", ['{{"x{}":1}}', '{{"id":"x{}","unheard":1}}'])
async def test_a_body_of_more_members_than_any_has_is_not_judged_one_by_one(http, inner):
    policies = ",".join(inner.format(at) for at in range(MOST_MEMBERS + 1))
    answer = await http.post(
        GATEWAYS, headers=ALL | JSON, content=a_body()[:-1] + f',"dlp":{{"policies":[{policies}]}}}}'
    )
    (error,) = errors(answer, 400, 7001)
    assert (error["path"], str(MOST_MEMBERS) in error["message"]) == (["body"], True)


async def test_so_is_a_query(http):
    asked = "&".join(f"m{at}=1" for at in range(MOST_PARAMETERS + 2))
    (error,) = errors(await http.get(f"{GATEWAYS}?{asked}", headers=ALL), 400, 7001)
    assert str(MOST_PARAMETERS) in error["message"]


async def test_calls_side_by_side_get_their_own_answers(http):
    names = [f"side-{number}" for number in range(20)]
    bodies = [json.dumps(dict(OPEN) | {"id": name}) for name in names]
    made = await asyncio.gather(*(http.post(GATEWAYS, headers=ALL | JSON, content=body) for body in bodies))
    assert [answer.json()["result"]["id"] for answer in made] == names
