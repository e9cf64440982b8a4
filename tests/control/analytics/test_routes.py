"""Analytics over their addresses, on both databases."""

import pytest
import pytest_asyncio

from penstock.control.analytics import routes
from penstock.storage.log.measures import DAY
from tests.control.logs.conftest import OTHER, World
from tests.kit.databases import KINDS, database_of
from tests.kit.logsink import a_record, set_gateway

MINUTE = 60_000
NOON = 20_000 * DAY * MINUTE + 12 * 60 * MINUTE  # 2024-10-04T12:00:00Z
START, END = "2024-10-04T12:00:00Z", "2024-10-04T12:59:00Z"


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def world(request, tmp_path_factory):
    with database_of(request.param, tmp_path_factory.mktemp("analytics")) as url:
        made = World(url, 5.0)
        made.app.router.routes.extend(routes.router.routes)
        made.write(
            *(
                call(minute, model=model, cost=cost)
                for minute in (0, 0, 7)
                for model, cost in (("a", 10**9), ("b", None))
            ),
            call(1, cached=True, tokens_in=0, saved=(9, 4, 5 * 10**8), cost=0),
            call(2, status_code=429, outcome="refused", success=False, model="c", cost=0),
            call(2, status_code=503, outcome="failed", success=False, logged=False),
            call(3, gateway=made.elsewhere, provider="anthropic"),
            call(4, gateway=made.others, provider="groq"),
            *(call(90, metadata=f'{{"user":"{user}"}}', rolled=("user",)) for user in ("u1", "u2", "u1")),
        )
        yield made
        await made.close()


def call(minute, **fields):
    return a_record(**({"created_at": NOON + minute * MINUTE, "duration": 120, "latency": 80, "model": "a"} | fields))


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def asked(world, gateway="default", token="all", only=None, **query):
    """``only``: the parameter ``gateway``."""
    of = f"/gateways/{gateway}" if gateway else ""
    query |= {"gateway": only} if only else {}
    return await world.http.get(
        f"/client/v4/accounts/{'0123456789abcdef' * 2}/ai-gateway{of}/analytics",
        params={"start": START, "end": END, **query},
        headers={"authorization": f"Bearer {token}"},
    )


async def told(world, gateway="default", **query):
    answer = await asked(world, gateway, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


async def test_an_hour_by_minutes(world):
    result = await told(world)
    assert (result["start"], result["end"]) == ("2024-10-04T12:00:00.000Z", "2024-10-04T13:00:00.000Z")
    assert (result["interval"], result["group_by"]) == ("minute", None)
    totals = result["totals"]
    assert {name: totals[name] for name in ("calls", "errors", "refusals", "cached", "unpriced")} == {
        "calls": 9, "errors": 2, "refusals": 1, "cached": 1, "unpriced": 3,
    }  # fmt: skip
    assert totals["cost"] == pytest.approx(3 + 2.22e-5)
    assert (totals["saved_tokens_in"], totals["saved_tokens_out"], totals["saved_cost"]) == (9, 4, 0.5)
    assert totals["duration"] == {"average": 120.0, "p50": 150.0, "p90": 190.0, "p95": 195.0, "p99": 199.0}
    (group,) = result["groups"]
    assert group["group"] is None
    assert group["totals"] == totals
    assert [(point["time"][11:16], point["calls"]) for point in group["series"]] == [
        ("12:00", 4), ("12:01", 1), ("12:02", 2), ("12:07", 2),
    ]  # fmt: skip


async def test_by_what_calls_are_told_apart(world):
    async def groups(name, **query):
        result = await told(world, group_by=name, **query)
        return {group["group"]: group["totals"]["calls"] for group in result["groups"]}

    assert await groups("model") == {"a": 5, "b": 3, "c": 1}
    assert list(await groups("model", order_by="cost")) == ["a", "b", "c"]
    assert await groups("model", limit=1) == {"a": 5, None: 4}
    assert await groups("status_class") == {2: 7, 4: 1, 5: 1}
    assert await groups("status_code", success="false") == {429: 1, 503: 1}
    assert await groups("outcome", model="c") == {"refused": 1}
    assert await groups("gateway", gateway="") == {"default": 9, "elsewhere": 1}
    assert await groups("provider", gateway="", cached="false") == {"openai": 8, "anthropic": 1}
    assert await groups("provider", provider="nobody") == {}


async def test_metadata_by_hours(world):
    result = await told(world, group_by="metadata.user", end="2024-10-04T14:00:00Z")
    assert (result["interval"], result["start"], result["end"]) == (
        "hour", "2024-10-04T12:00:00.000Z", "2024-10-04T15:00:00.000Z",
    )  # fmt: skip
    assert [(group["group"], group["totals"]["calls"]) for group in result["groups"]] == [("u1", 2), ("u2", 1)]
    assert [point["time"][11:13] for point in result["groups"][0]["series"]] == ["13"]
    result = await told(world, metadata="user=u2", end="2024-10-04T14:00:00Z")
    assert result["totals"]["calls"] == 1


async def test_a_key_that_calls_are_not_counted_by_is_said(world):
    set_gateway(world.connection, world.elsewhere, analytics_metadata_keys=["user", "te%m"])

    async def hints(gateway="", **query):
        answer = await asked(world, gateway, end="2024-10-04T14:00:00Z", **query)
        return [(hint["code"], hint["message"], hint["path"]) for hint in answer.json()["messages"]]

    of = "calls are counted by a key from when it is named there"
    unset = "analytics_metadata_keys of the gateway does not name"
    assert await hints("default", group_by="metadata.user") == [
        (7012, f"group_by: {unset} 'user': {of}", ["query", "group_by"])
    ]
    assert await hints(metadata="team=x") == [
        (7012, f"metadata: no gateway names 'team' in analytics_metadata_keys: {of}", ["query", "metadata"])
    ]
    for only, count in (("default", 1), ("elsewhere", 0)):
        assert len(await hints(group_by="metadata.user", only=only)) == count
    assert len(await hints(group_by="metadata.user", token="limited", only="elsewhere")) == 0
    for key, gateway, count in (("user", "elsewhere", 0), ("user", "", 0), ("use", "", 1), ("USER", "", 1)):
        assert len(await hints(gateway, group_by=f"metadata.{key}")) == count
    assert len(await hints(group_by="metadata.user", metadata="user=u1")) == 0
    assert await hints(group_by="model") == []


async def test_each_sees_its_own(world):
    assert [g["group"] for g in (await told(world, "", token="limited", group_by="gateway"))["groups"]] == ["elsewhere"]
    assert (await told(world, "", token="metadata"))["totals"]["calls"] == 10
    assert (await asked(world, "", token="run")).status_code == 403
    assert (await asked(world, "", token="other")).status_code == 404
    assert (await asked(world, "default", token="limited")).status_code == 404
    assert (await asked(world, "nowhere")).status_code == 404
    answer = await world.http.get(
        f"/client/v4/accounts/{OTHER}/ai-gateway/analytics",
        params={"start": START, "end": END, "group_by": "provider"},
        headers={"authorization": "Bearer other"},
    )
    assert [group["group"] for group in answer.json()["result"]["groups"]] == ["groq"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"interval": "minute", "start": "2024-10-01"}, "at most 1,500"),
        ({"interval": "minute", "start": "2024-10-03T12:00:00Z", "group_by": "model", "limit": 100}, "20,000 in all"),
        ({"start": END, "end": START}, "before end"),
        ({"start": "9999-12-31T23:00", "end": "9999-12-31T23:59"}, "within the year 9999"),
        ({"group_by": "user"}, "must be one of"),
        ({"group_by": "metadata.user", "interval": "minute"}, "by hours"),
        ({"group_by": "metadata.user", "metadata": "team=x"}, "group_by"),
        ({"colour": "red"}, "Extra"),
    ],
)
async def test_what_is_too_much_or_is_none_is_refused(world, query, says):
    answer = await asked(world, **query)
    assert answer.status_code == 400
    assert says in answer.json()["errors"][0]["message"]


async def test_the_end_of_time_can_be_asked_about(world):
    assert (await told(world, start="9999-12-31", end="9999-12-31"))["totals"]["calls"] == 0


async def test_the_interval_follows_the_time(world):
    for start, interval in (("10-04T11:00:00Z", "minute"), ("10-01", "hour"), ("09-05", "day"), ("01-01", "day")):
        assert (await told(world, start=f"2024-{start}"))["interval"] == interval
