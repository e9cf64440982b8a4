"""Dropping cached answers through the API, on a real server."""

import json

import pytest

from penstock.model.token import Scope
from tests.kit.client import until
from tests.kit.house import ACCOUNT, house, request
from tests.kit.store import SECRET, a_token

AT = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways"
AUDIT = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/audit-logs"
GATEWAYS = {"default": {"cache_ttl": 600}, "other": {"cache_ttl": 600}}
STATUS = "cf-aig-cache-status"
STREAM = b'{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}'


async def ask(client, method, path, body=None, token=SECRET, at=AT):
    data = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {at}{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
    answer = await client.ask(head.encode() + data)
    return answer.status, json.loads(answer.body)


async def status(client, **call):
    return (await client.ask(request(**call))).headers[STATUS]


async def test_all_of_a_gateway_and_of_no_other():
    async with house(gateways=GATEWAYS) as made, made.client() as client:
        for gateway in GATEWAYS:
            assert await status(client, gateway=gateway) == "MISS"
        assert await ask(client, "POST", "/default/purge_cache", {}) == (
            200,
            {"success": True, "errors": [], "messages": [], "result": {"purged": 1}},
        )
        assert await status(client, gateway="default") == "MISS"
        assert await status(client, gateway="other") == "HIT"
        (line, *_) = (await ask(client, "GET", "", at=AUDIT))[1]["result"]
        assert line["action"] == "gateway.purge_cache"


async def test_one_that_a_client_keeps_under_its_own_key():
    async with house(gateways=GATEWAYS) as made, made.client() as client:
        for key in ("one", "zwei-ü", "три"):
            await status(client, headers={"cf-aig-cache-key": key.encode().decode("latin-1")})
        await status(client, headers={"cf-aig-cache-key": "zwei-ü"})  # as Latin-1
        for named, dropped in (("none", 0), (" zwei-ü ", 2), ("zwei-ü", 0), ("три", 1)):
            body = {"cache_key": named}
            assert (await ask(client, "POST", "/default/purge_cache", body))[1]["result"] == {"purged": dropped}
        assert await status(client, headers={"cf-aig-cache-key": "one"}) == "HIT"
        assert await status(client, headers={"cf-aig-cache-key": "zwei-ü".encode().decode("latin-1")}) == "MISS"


@pytest.mark.parametrize(("body", "late"), [({}, "MISS"), ({"cache_key": "mine"}, "MISS"), ({"older_than": 9}, "HIT")])
async def test_the_answer_of_a_call_that_was_running_is_not_kept_nor_followed(body, late):
    """It may be of before whatever the purge was for; one of a certain age it is not."""
    async with house(gateways=GATEWAYS) as made, made.client() as client, made.client() as other:
        mine = {"cf-aig-cache-key": "mine"}
        await client.send(request(headers={**mine, "x-mock-pace": "20", "x-mock-frames": "20"}, body=STREAM))
        await made.mock.until(lambda stats: stats.requests_running > 0)
        assert (await ask(other, "POST", "/default/purge_cache", body))[0] == 200
        assert await status(other, headers=mine, body=STREAM) == late
        assert await status(other, headers=mine, body=STREAM) == "HIT"  # the later one's, if there is one
        before = (await client.answer()).body
        answer = await other.ask(request(headers=mine, body=STREAM))
        assert answer.headers[STATUS] == "HIT"
        assert (answer.body == before) is (late == "HIT")


async def test_old_ones():
    async with house(gateways=GATEWAYS) as made, made.client() as client:
        await status(client)
        assert (await ask(client, "POST", "/default/purge_cache", {"older_than": 3600}))[1]["result"] == {"purged": 0}
        assert await status(client) == "HIT"


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"cache_key": ""}, "cache_key", "must be 1 or more characters long"),
        ({"cache_key": "x" * 16385}, "cache_key", "must be 16384 characters long at most"),
        ({"cache_key": 1}, "cache_key", "must be a text"),
        ({"older_than": 0}, "older_than", "must be 1 or more"),
        ({"older_than": "1"}, "older_than", "must be a whole number"),
        ({"everything": True}, "everything", "there is no such field"),
    ],
)
async def test_what_is_wrong_is_told_with_its_field(body, field, message):
    async with house(gateways=GATEWAYS) as made, made.client() as client:
        code, told = await ask(client, "POST", "/default/purge_cache", body)
        assert code == 400
        assert told["errors"] == [{"code": 7001, "message": f"{field}: {message}", "path": ["body", field]}]


async def test_whoever_may_not_write_drops_nothing():
    reader = a_token("pst_reader_0123456789abcdef", scopes=frozenset({Scope.READ, Scope.RUN}))
    elsewhere = a_token("pst_elsewhere_0123456789abc", gateways=frozenset({"other"}))
    async with house(gateways=GATEWAYS, tokens=[reader, elsewhere]) as made, made.client() as client:
        await status(client)
        assert (await ask(client, "POST", "/default/purge_cache", {}, reader.name))[0] == 403
        assert (await ask(client, "POST", "/default/purge_cache", {}, elsewhere.name))[0] == 404
        assert (await ask(client, "POST", "/none/purge_cache", {}))[0] == 404
        assert await status(client) == "HIT"


@pytest.mark.parametrize("drops", [True, False])
async def test_a_change_of_the_gateway_drops_all_if_it_says_so(drops):
    async with house(gateways=GATEWAYS) as made, made.client() as client:
        await status(client)
        body = {
            "cache_invalidate_on_update": drops,
            "cache_ttl": 700,
            "collect_logs": True,
            "rate_limiting_interval": 0,
            "rate_limiting_limit": 0,
        }
        assert (await ask(client, "PUT", "/default", body))[0] == 200
        assert await status(client) == ("MISS" if drops else "HIT")
        assert await status(client) == "HIT"
        assert (await ask(client, "PUT", "/default", body))[0] == 200  # also where nothing else changes
        assert await status(client) == ("MISS" if drops else "HIT")


async def test_a_gateway_made_again_has_nothing_of_the_one_before():
    async with house(gateways=GATEWAYS) as made, made.client() as client:
        await status(client, gateway="other")
        assert (await ask(client, "DELETE", "/other"))[0] == 200
        assert made.server.app.cache.figures()[1] == 0
        body = {
            "id": "other",
            "cache_invalidate_on_update": False,
            "cache_ttl": 700,
            "collect_logs": True,
            "rate_limiting_interval": 0,
            "rate_limiting_limit": 0,
        }
        assert (await ask(client, "POST", "", body))[0] == 200
        assert await status(client, gateway="other") == "MISS"
        await until(lambda: made.server.app.cache.figures()[1] == 1)
