"""GraphQL over its address, on both databases."""

import json

import pytest
import pytest_asyncio

from penstock.control.graphql import execution, routes
from penstock.core import instants
from penstock.storage.log.measures import DAY
from tests.control.logs.conftest import ACCOUNT, World
from tests.kit.databases import KINDS, database_of
from tests.kit.logsink import a_record

MINUTE = 60_000
NOON = 20_000 * DAY * MINUTE + 12 * 60 * MINUTE  # 2024-10-04T12:00:00Z
OF_DAY = {"datetime_geq": "2024-10-04T00:00:00Z", "datetime_lt": "2024-10-05T00:00:00Z"}
REQUESTS = "aiGatewayRequestsAdaptiveGroups"

pytestmark = pytest.mark.asyncio(loop_scope="module")


def call(minute, **fields):
    return a_record(**({"created_at": NOON + minute * MINUTE, "model": "a"} | fields))


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def world(request, tmp_path_factory):
    with database_of(request.param, tmp_path_factory.mktemp("graphql")) as url:
        made = World(url, 5.0)
        made.app.router.routes.extend(routes.router.routes)
        made.write(
            *(call(minute, model=model, cost=10**9) for minute in (0, 3, 61) for model in ("b", "a")),
            call(7, cached=True, tokens_in=0, tokens_out=0, saved=(9, 4, 5 * 10**8), cost=0),
            call(7, status_code=429, outcome="refused", success=False, cost=0, logged=False),
            call(7, gateway=made.elsewhere, status_code=500, success=False, provider="anthropic", cost=None),
            call(7, gateway=made.others, provider="groq"),
        )
        yield made
        await made.close()


async def posted(world, query, token="all", **more):
    return await world.http.post(
        "/client/v4/graphql",
        content=json.dumps({"query": query, **more}),
        headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
    )


async def groups(world, selection, dataset=REQUESTS, *, token="all", where=OF_DAY, **arguments):
    """The groups of one dataset."""
    kind = f"Aigateway{dataset}".replace("AigatewayaiGateway", "AiGateway")
    given = "".join(f", {name}: {value}" for name, value in arguments.items())
    query = (
        f"query ($account: String!, $filter: {kind}Filter) {{ viewer {{ accounts(filter: {{accountTag: $account}}) {{"
        f" {dataset}(filter: $filter{given}) {{ {selection} }} }} }} }}"
    )
    answer = await posted(world, query, token, variables={"account": ACCOUNT, "filter": where})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["errors"] is None, told
    return told["data"]["viewer"]["accounts"][0][dataset]


def nested(levels):
    filters = {"model": "a"}
    for _ in range(levels):
        filters = {"OR": [filters]}
    return filters


async def refused(world, query, token="all", **more):
    told = (await posted(world, query, token, **more)).json()
    assert told["errors"], told
    return told["errors"][0]["message"]


def of_account(selection):
    return f'{{ viewer {{ accounts(filter: {{accountTag: "{ACCOUNT}"}}) {{ {selection} }} }} }}'


async def test_sums_of_all_requests(world):
    sums = "cachedRequests erroredRequests cachedTokensIn cachedTokensOut uncachedTokensIn uncachedTokensOut cost"
    (group,) = await groups(world, f"count sum {{ {sums} }}")
    assert group == {
        "count": 9,
        "sum": {
            "cachedRequests": 1,
            "erroredRequests": 2,
            "cachedTokensIn": 9,
            "cachedTokensOut": 4,
            "uncachedTokensIn": 8 * 12,
            "uncachedTokensOut": 8 * 34,
            "cost": 6.0,
        },
    }


async def test_dimensions_in_the_order_asked_for(world):
    found = await groups(
        world, "count dimensions { datetimeHour model }", orderBy="[datetimeHour_DESC, model_ASC]", limit=3
    )
    assert [(g["dimensions"]["datetimeHour"][11:], g["dimensions"]["model"], g["count"]) for g in found] == [
        ("13:00:00Z", "a", 1), ("13:00:00Z", "b", 1), ("12:00:00Z", "a", 5),
    ]  # fmt: skip
    found = await groups(world, "count dimensions { gateway provider }", orderBy="[count_DESC]")
    assert [(*g["dimensions"].values(), g["count"]) for g in found] == [
        ("default", "openai", 8), ("elsewhere", "anthropic", 1),
    ]  # fmt: skip
    times = "date datetime datetimeMinute datetimeFiveMinutes"
    found = await groups(world, f"count dimensions {{ {times} }}", orderBy="[datetime_ASC]")
    assert found[1]["dimensions"] == {
        "date": "2024-10-04",
        "datetime": "2024-10-04T12:03:00Z",
        "datetimeMinute": "2024-10-04T12:03:00Z",
        "datetimeFiveMinutes": "2024-10-04T12:00:00Z",
    }
    found = await groups(world, "count dimensions { statusCode cached error rateLimited }", orderBy="[statusCode_DESC]")
    assert [tuple(g["dimensions"].values()) for g in found if g["dimensions"]["statusCode"] > 200] == [
        (500, 0, 1, 0), (429, 0, 1, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "count"),
    [
        ({}, 9),
        ({"gateway": None, "datetimeHour": None}, 9),
        ({"gateway": "default"}, 8),
        ({"gateway_neq": "default"}, 1),
        ({"model_in": ["b", "c"]}, 3),
        ({"model_notin": ["b", "c"]}, 6),
        ({"provider_like": "%THROP%"}, 1),
        ({"statusCode_geq": 400, "statusCode_lt": 500}, 1),
        ({"statusCode_gt": 200, "rateLimited": 0}, 1),
        ({"cached": 1}, 1),
        ({"error_neq": 1}, 7),
        ({"datetimeHour": "2024-10-04T13:00:00Z"}, 2),
        ({"datetimeHour_leq": "2024-10-04T12:00:00Z"}, 7),
        ({"datetimeHour_gt": "2024-10-04T12:00:00Z"}, 2),
        ({"datetime_geq": "2024-10-04T12:07:00Z"}, 5),
        ({"datetime_lt": "2024-10-04T12:07:00Z"}, 4),
        ({"datetimeFiveMinutes": "2024-10-04T12:05:00Z"}, 3),
        ({"datetimeFiveMinutes": "2024-10-04T12:06:00Z"}, 0),
        ({"date": "2024-10-04"}, 9),
        ({"date_geq": "2024-10-05"}, 0),
        ({"statusCode_gt": 2**31 - 1}, 0),
        ({"statusCode_lt": 2**31 - 1}, 9),
        ({"statusCode_neq": -(2**31)}, 9),
        ({"AND": [{"model": "a"}, {"statusCode": 200}, {}]}, 4),
        ({"AND": {"model": "a"}, "OR": None}, 6),
        ({"OR": [{"model": "b"}, {"gateway": "elsewhere"}]}, 4),
        ({"OR": [{"model": "b"}, {"gateway": "elsewhere"}], "provider": "openai"}, 3),
        ({"OR": [{"model": "b", "datetime_lt": "2024-10-04T12:03:00Z"}, {"AND": [{"cached": 1}, {"model": "a"}]}]}, 2),
        ({"OR": [{"datetimeMinute": "2024-10-04T12:03:00Z"}, {"datetimeHour": "2024-10-04T13:00:00Z"}]}, 4),
        ({"OR": [{"date": "2024-10-04"}, {"date": "2024-10-05"}], "model": "b"}, 3),
        ({"OR": [{}, {"model": "z"}]}, 9),
        ({"OR": [{"model": "b"}] * 98}, 3),
        (nested(8), 6),
        ({"OR": [{"OR": [{"model": "b"}]}, {"AND": []}]}, 9),
        ({"AND": [{"OR": [{"model": "b"}, {"cached": 1}]}, {"OR": [{"model": "a"}, {"statusCode": 500}]}]}, 1),
    ],
)
async def test_filters(world, more, count):
    found = await groups(world, "count", where=OF_DAY | more)
    assert sum(group["count"] for group in found) == count


async def test_times_of_alternatives_are_the_time_of_the_filter(world):
    (group,) = await groups(
        world, "count", where={"OR": [{"datetimeHour": f"2024-10-04T{hour}:00:00Z"} for hour in (12, 13)]}
    )
    assert group["count"] == 9
    assert await groups(world, "count", where={"OR": [{"date": "2024-10-03"}, {"date": "2024-10-05"}]}) == []
    query = f'{REQUESTS}(filter: {{AND: [{{date: $day}}], OR: [{{model_in: $b}}, {{model: "z"}}]}}) {{ count }}'
    told = (await posted(world, f"query {of_account(query)}", variables={"day": "2024-10-04", "b": ["b"]})).json()
    assert told["data"]["viewer"]["accounts"][0][REQUESTS] == [{"count": 3}]


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        (nested(9), "8 AND and OR"),
        ({"OR": [{"model": "a"}] * 100}, "200 filters"),
        ({"AND": [{}] * 200}, "200 filters"),
        ({"model_in": ["a"] * 1001}, "1,000 values"),
        ({"OR": []}, "OR must have"),
        (nested(400), "nested too deeply"),
    ],
)
async def test_filters_that_would_be_too_much_work_are_refused(world, filters, says):
    query = of_account(f"{REQUESTS}(filter: $filter) {{ count }}")
    assert says in await refused(world, query, variables={"filter": filters})


async def test_the_end_of_time_can_be_asked_about(world):
    assert await groups(world, "count", where={"datetime_geq": "9999-12-31T23:00:00Z", "date_leq": "9999-12-31"}) == []


async def test_counts_are_whole_numbers_for_typed_clients(world):
    query = f'{REQUESTS}(filter: {{date: "2024-10-04"}}) {{ count sum {{ cachedTokensIn }} }}'
    assert '"count":9,"sum":{"cachedTokensIn":9}' in (await posted(world, of_account(query))).text


async def test_a_fault_is_not_told(world, monkeypatch, caplog):
    async def broken(_question):
        raise RuntimeError("SELECT secret")

    monkeypatch.setattr(world.logs, "rolled", broken)
    assert await refused(world, of_account(f"{REQUESTS} {{ count }}")) == "Internal error"
    assert "SELECT secret" in caplog.text


async def test_the_other_datasets(world):
    errors = await groups(world, "count dimensions { gateway provider model }", "aiGatewayErrorsAdaptiveGroups")
    assert sorted((g["count"], *g["dimensions"].values()) for g in errors) == [
        (1, "default", "openai", "a"), (1, "elsewhere", "anthropic", "a"),
    ]  # fmt: skip
    cache = await groups(world, "count dimensions { operation status }", "aiGatewayCacheAdaptiveGroups")
    assert sorted((g["dimensions"]["status"], g["count"]) for g in cache) == [("hit", 1), ("miss", 8)]
    query = of_account("aiGatewaySizeAdaptiveGroups { max { rows } dimensions { gateway logManagement } }")
    (account,) = (await posted(world, query)).json()["data"]["viewer"]["accounts"]
    assert [(g["dimensions"]["gateway"], g["max"]["rows"]) for g in account["aiGatewaySizeAdaptiveGroups"]] == [
        ("default", 7), ("elsewhere", 1),
    ]  # fmt: skip


async def test_variables_need_no_declaration_as_in_the_example_of_cloudflare(world):
    query = (
        "query{ viewer { accounts(filter: {accountTag: $tag}) { requests: aiGatewayRequestsAdaptiveGroups("
        " limit: $limit filter: {datetimeHour_geq: $start, datetimeHour_leq: $end} orderBy: [datetimeMinute_ASC]"
        ") { count, dimensions { model, ts: datetimeMinute } } } } }"
    )
    variables = {"tag": ACCOUNT, "limit": 1, "start": "2024-10-04T10:00:00.000Z", "end": "2024-10-04T20:00:00.000Z"}
    told = (await posted(world, query, variables=variables | {"orderBy": "date_ASC"})).json()
    assert told["errors"] is None
    assert told["data"]["viewer"]["accounts"][0]["requests"][0]["dimensions"]["ts"] == "2024-10-04T12:00:00Z"
    assert "ISO 8601" in await refused(world, query, variables=variables | {"start": 1.5})


async def test_each_sees_its_own(world):
    (group,) = await groups(world, "count", token="limited")
    assert group["count"] == 1
    assert (await groups(world, "count", token="metadata"))[0]["count"] == 9
    assert (await posted(world, "{ viewer { __typename } }", "run")).status_code == 403
    assert "does not open" in await refused(world, of_account(f"{REQUESTS} {{ count }}"), "other")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (of_account(f"{REQUESTS} {{ dimensions {{ durationMs }} }}"), "there are date, datetime"),
        (of_account(f"{REQUESTS}(limit: 100000) {{ count }}"), "limit"),
        (of_account(f'{REQUESTS}(filter: {{date_geq: "2024-01-01"}}) {{ count }}'), "32 days"),
        (of_account(f'{REQUESTS}(filter: {{date_geq: "yesterday"}}) {{ count }}'), "ISO 8601"),
        (of_account(f"{REQUESTS} {{ colour }}"), "colour"),
        (of_account(" ".join(f"a{n}: {REQUESTS} {{ count }}" for n in range(11))), "at most 10"),
        ("{ viewer " * 300, "nested too deeply"),
        ("{ " + "viewer { __typename } " * 1000 + "}", "tokens"),
        (of_account(f"{REQUESTS}(filter: {'{AND: ' * 400}{{}}{'}' * 400}) {{ count }}"), ""),
        ("{ viewer", "Syntax Error"),
        (of_account(f"{REQUESTS}(limit: null) {{ count }}"), "non-null"),
    ],
)
async def test_what_cannot_be_answered_is_said(world, query, says):
    assert says in await refused(world, query)


async def test_fragments_that_repeat_each_other_are_counted_as_often_as_they_ask(world):
    fragments = " ".join(f"fragment f{n} on Account {{ ...f{n + 1} ...f{n + 1} }}" for n in range(20))
    last = f"fragment f20 on Account {{ {REQUESTS} {{ count }} }}"
    assert "at most 10" in await refused(world, f"{of_account('...f0')} {fragments} {last}")


async def test_the_schema_can_be_asked_for(world):
    query = "{ __schema { types { name fields { name type { name kind ofType { name } } } } } }"
    told = (await posted(world, query)).json()
    assert REQUESTS in {field["name"] for kind in told["data"]["__schema"]["types"] for field in kind["fields"] or ()}


async def test_by_default_it_is_the_last_day(world):
    world.write(
        a_record(created_at=instants.now(), model="new"), a_record(created_at=instants.now() - 2 * DAY * MINUTE)
    )
    found = await groups(world, "count dimensions { model }", where={})
    assert found == [{"count": 1, "dimensions": {"model": "new"}}]


async def test_the_schema_has_the_fields_that_clients_know():
    definition = execution.definition()
    for name in ("durationMs", "metadataRaw", "uncachedTokensOut", "datetimeFiveMinutes", "datetimeHour_geq"):
        assert name in definition
