"""The money of an account over its addresses, on both databases."""

import pytest
import pytest_asyncio

from penstock.control.billing import routes
from penstock.core import ids
from penstock.storage import ledger
from penstock.storage.ledger import Entry
from tests.control.logs.conftest import OTHER, World
from tests.kit.databases import KINDS, database_of
from tests.kit.logsink import ACCOUNT, a_record

HOUR = 3600 * 1000
DAY = 24 * HOUR
NOON = 20_000 * DAY + 12 * HOUR
CENT = 10**7

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def world(request, tmp_path_factory):
    with database_of(request.param, tmp_path_factory.mktemp("billing")) as url:
        made = World(url, 5.0)
        made.app.router.routes.extend(routes.router.routes)
        with made.connection.transaction():
            lines = (("credit", 1000 * CENT), ("payments", -1000 * CENT))
            ledger.post(made.connection, [Entry(ids.new(), ACCOUNT, "topup", NOON, None, None, lines)])
        made.write(
            *(call(minutes, 3 * CENT) for minutes in (0, 59, 60)),
            call(61, 4 * CENT, logged=False),
            call(26 * 60, 5 * CENT + 1),
            call(0, 9 * CENT, account=OTHER),
            a_record(created_at=NOON, cost=7 * CENT),
        )
        yield made
        await made.close()


def call(minutes, amount, *, account=ACCOUNT, **fields):
    return a_record(created_at=NOON + minutes * 60_000, charge=(account, amount), **fields)


async def asked(world, what, token="all", account=ACCOUNT, **query):
    return await world.http.get(
        f"/client/v4/accounts/{account}/ai-gateway/billing/{what}",
        params=query,
        headers={"authorization": f"Bearer {token}"},
    )


async def told(world, what, **given):
    answer = await asked(world, what, **given)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


async def test_the_balance_is_what_came_in_without_what_was_charged(world):
    shown = await told(world, "credit-balance")
    assert shown["balance"] == 1000 - 18 - 1 / CENT
    assert (shown["has_default_payment_method"], shown["payment_method"], shown["topup_config"]) == (False, None, {})
    assert shown["first_topup_success"] is True
    other = await told(world, "credit-balance", token="other", account=OTHER)
    assert (other["balance"], other["first_topup_success"]) == (-9, False)


async def test_a_call_that_was_just_answered_counts(world):
    before = (await told(world, "credit-balance", token="other", account=OTHER))["balance"]
    world.sink.offer(call(0, CENT, account=OTHER, gateway=world.others))
    assert (await told(world, "credit-balance", token="other", account=OTHER))["balance"] == before - 1


@pytest.mark.parametrize(
    ("window", "since", "until", "expected"),
    [
        ("hour", NOON, NOON + 3 * HOUR, [6, 7, 0]),
        ("hour", NOON + 1, NOON + 2, [6]),  # whole windows are told
        ("day", NOON, NOON + DAY, [13, 5 + 1 / CENT]),
        ("day", NOON - 2 * DAY, NOON + 3 * DAY, [0, 0, 13, 5 + 1 / CENT, 0, 0]),
    ],
)
async def test_usage_is_what_calls_were_charged_in_each_window(world, window, since, until, expected):
    given = {"value_grouping_window": window, "start_time": since, "end_time": until}
    history = (await told(world, "usage-history", **given))["history"]
    assert [one["aggregated_value"] for one in history] == expected
    length = HOUR if window == "hour" else DAY
    first = since // length * length
    assert [(one["start_time"], one["end_time"]) for one in history] == [
        (first + n * length, first + (n + 1) * length) for n in range(len(expected))
    ]
    assert len({one["id"] for one in history}) == len(history)


async def test_usage_is_that_of_the_last_days_unless_told_otherwise(world):
    assert len((await told(world, "usage-history", value_grouping_window="day"))["history"]) == 31
    assert len((await told(world, "usage-history", value_grouping_window="hour"))["history"]) == 7 * 24 + 1
    year = {"value_grouping_window": "hour", "start_time": NOON, "end_time": NOON + 366 * DAY}
    assert len((await told(world, "usage-history", **year))["history"]) == 366 * 24


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({}, ["query", "value_grouping_window"]),
        ({"value_grouping_window": "week"}, ["query", "value_grouping_window"]),
        ({"start_time": NOON + 2 * HOUR, "end_time": NOON}, ["query", "start_time"]),
        ({"start_time": 0, "end_time": NOON}, ["query", "start_time"]),
        ({"start_time": "yesterday"}, ["query", "start_time"]),
        ({"start_time": 2.0**60}, ["query", "start_time"]),
    ],
)
async def test_what_cannot_be_told_is_refused(world, given, path):
    answer = await asked(world, "usage-history", **({"value_grouping_window": "hour"} | given if given else {}))
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, path)


@pytest.mark.parametrize("what", ["credit-balance", "usage-history"])
@pytest.mark.parametrize(("token", "status"), [("read", 200), ("metadata", 403), ("limited", 403), ("other", 404)])
async def test_money_is_for_who_may_see_all_of_the_account(world, what, token, status):
    query = {"value_grouping_window": "day"} if what == "usage-history" else {}
    assert (await asked(world, what, token, **query)).status_code == status
