"""What is spent of a gateway's rules, as the API lists it."""

import json
from contextlib import closing

import pytest
import pytest_asyncio

from penstock.storage import opening, spending
from tests.kit.client import until
from tests.kit.house import ACCOUNT, house, request
from tests.kit.store import SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")
LONG = 10**6
RULES = [
    {"id": "all", "limit": 100, "limitType": "cost", "window": LONG},
    {
        "id": "each",
        "limit": 5,
        "limitType": "cost",
        "window": LONG,
        "technique": "sliding",
        "metadata": {"user": {"mode": "partition"}, "team": {"mode": "partition"}},
    },
    {"id": "off", "enabled": False, "limit": 5, "limitType": "cost", "window": LONG},
    {"id": "last", "limit": 1, "limitType": "cost", "window": 2**53 - 1},
]
USERS = ["ann", "b:b", "ç%", "x" * 400]


def costs(dollars, user):
    headers = {"cf-aig-custom-cost": json.dumps({"total_cost": dollars})}
    return request(headers=headers | {"cf-aig-metadata": json.dumps({"user": user, "team": "red"})})


async def listed(client, query="", gateway="default"):
    at = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/{gateway}/spend{query}"
    answer = await client.ask(f"GET {at} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SECRET}\r\n\r\n".encode())
    return answer.status, json.loads(answer.body)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    gateways = {"default": {"spend_limits": {"rules": RULES}}, "free": {}}
    async with house(gateways=gateways) as made, made.client() as client:
        for user in USERS:
            assert (await client.ask(costs(0.125, user))).status == 200
        await until(lambda: len(made.sink.records) == len(USERS))
        with closing(opening.connect(made.server.app.place.url)) as connection, connection.transaction():
            spending.add(connection, made.sink.records)  # as the log's writer does
        yield client


async def test_each_rule_has_a_counter_and_each_value_of_a_partition(there):
    _, told = await listed(there)
    first, *each, last = told["result"]
    assert first.pop("resets_at").endswith("Z")
    assert first == {
        "rule": "all",
        "partition": {},
        "limit": 100,
        "window": LONG,
        "technique": "fixed",
        "spent": 0.5,
        "reserved": 0,
    }
    assert {one["partition"]["user"] for one in each} >= {"ann", "b:b", "ç%"}
    assert len([one for one in each if one["partition"]["user"].startswith("#")]) == 1
    assert all((one["spent"], one["partition"]["team"], one["resets_at"]) == (0.125, "red", None) for one in each)
    assert (last["rule"], last["spent"], last["resets_at"]) == ("last", 0.5, None)


async def test_the_counters_come_in_pages(there):
    whole = (await listed(there))[1]["result"]
    pages = [(await listed(there, f"?per_page=2&page={page}"))[1] for page in (1, 2, 3, 4)]
    assert [one for page in pages for one in page["result"]] == whole
    assert [page["result_info"]["total_count"] for page in pages] == [6, 6, 6, 6]


async def test_a_gateway_without_rules_has_none_and_an_unknown_one_is_not_found(there):
    assert (await listed(there, gateway="free"))[1]["result"] == []
    assert (await listed(there, gateway="nobody"))[0] == 404
