"""What a call asks of the gateway for itself."""

import json

import pytest
import pytest_asyncio

from penstock.features.options import Options
from penstock.model.options import ONCE, CallOptions, CustomCost, Retry
from tests.kit.exchange import an_exchange
from tests.kit.house import house, request
from tests.kit.store import SECRET

GATEWAYS = {
    "full": {},
    "discreet": {"collect_log_payloads": False},
    "silent": {"collect_logs": False},
    "silent-discreet": {"collect_logs": False, "collect_log_payloads": False},
    "closed": {"authentication": True},
}
BODY = b'{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house(gateways=GATEWAYS) as made:
        yield made


async def called(made, headers, gateway="full", path="openai/chat/completions", body=BODY, event="", status=200):
    async with made.client() as client:
        answer = await client.ask(request(path, gateway=gateway, headers=headers, body=body, event=event))
        assert answer.status == status
        return answer


def warnings(row):
    return json.loads(row.detail).get("warnings", [])


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("gateway", ["full", "discreet", "silent", "silent-discreet"])
@pytest.mark.parametrize("payload", [None, "true", "FALSE", "0", "perhaps"])
@pytest.mark.parametrize("log", [None, "True", "1", "false", "no"])
async def test_the_calls_word_on_its_log_goes_before_the_gateways(there, gateway, log, payload):
    event = f"{gateway} {log} {payload}"
    headers = {"cf-aig-collect-log": log, "cf-aig-collect-log-payload": payload}
    headers = {name: value for name, value in headers.items() if value is not None}
    written = {"True": True, "1": True, "false": False}.get(log or "", "silent" not in gateway)
    bodies = {"true": True, "FALSE": False, "0": False}.get(payload or "", "discreet" not in gateway)
    answer = await called(there, headers, gateway, event=event)
    await there.quiet()
    rows = [row for row in there.sink.records if row.event_id == event]
    assert len(rows) == int(written)
    assert ("cf-aig-log-id" in answer.headers) == written
    assert answer.headers["cf-aig-event-id"] == event
    for row in rows:
        kept = (BODY, answer.body) if bodies else (None, None)
        assert (row.request, row.response) == kept
        assert (row.tokens_in, row.response_size) == (2, len(answer.body))
        odd = [value for value in (log, payload) if value in {"no", "perhaps"}]
        assert [repr(value) in line for value, line in zip(odd, warnings(row), strict=True)] == [True] * len(odd)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("sent", "stored", "warned"),
    [
        ('{"user":"u1","team":7,"trial":true}', '{"user":"u1","team":7,"trial":true}', ""),
        ('{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}', '{"a":1,"b":2,"c":3,"d":4,"e":5}', "first 5 of 6"),
        ('{"a":1,"b":null}', None, "'b'"),
        ('{"cf.user_id":"me"}', None, "cf."),
        ("{a:1}", None, "not JSON"),
        ("{}", None, ""),
        ('{"name":"zoë"}', None, "UTF-8"),  # as latin-1, which is how a test's header goes out
        ('{"name":"zo\\u00eb"}', '{"name":"zoë"}', ""),
    ],
)
async def test_metadata_is_kept_beside_the_call(there, sent, stored, warned):
    event = f"metadata {len(there.sink.records)}"
    await called(there, {"cf-aig-metadata": sent}, event=event)
    row = await there.row(event)
    assert row.metadata == stored
    if warned:
        (line,) = warnings(row)
        assert line.startswith("cf-aig-metadata: ")
        assert warned in line
    else:
        assert warnings(row) == []


@pytest.mark.asyncio(loop_scope="module")
async def test_the_warnings_of_a_header_are_few(there):
    sent = json.dumps({f"cf.{number}": 1 for number in range(3000)})
    await called(there, {"cf-aig-metadata": sent}, event="many")
    assert len(warnings(await there.row("many"))) == 10


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("sent", "cost", "custom", "warned"),
    [
        ('{"per_token_in":1e-7,"per_token_out":0.000002}', 2 * 100 + 4 * 2000, True, ""),
        ('{"per_token_in":0,"per_token_out":0}', 0, True, ""),
        ('{"total_cost":0.05}', 50_000_000, True, ""),
        ('{"per_token_in":1e-7}', None, False, "no rate"),
        ('{"per_token_in":-1,"per_token_out":1}', 2 * 2500 + 4 * 10_000, False, "per_token_in is not between"),
        ('{"per_token_in":"1e-7","per_token_out":1}', 2 * 2500 + 4 * 10_000, False, "per_token_in is not a number"),
        ("cheap", 2 * 2500 + 4 * 10_000, False, "not a JSON object"),
    ],
)
async def test_the_callers_prices_take_the_place_of_the_list(there, sent, cost, custom, warned):
    event = f"cost {len(there.sink.records)}"
    await called(there, {"cf-aig-custom-cost": sent}, event=event)
    row = await there.row(event)
    assert (row.cost, row.custom_cost) == (cost, custom)
    assert [warned in line for line in warnings(row)] == [True] * bool(warned)


@pytest.mark.asyncio(loop_scope="module")
async def test_without_usage_only_a_flat_price_is_a_cost_and_only_of_an_answer(there):
    rates, flat = '{"per_token_in":1e-7,"per_token_out":1e-7}', '{"total_cost":1}'
    for number, (path, headers, status, cost) in enumerate(
        [
            ("openai/files", {"cf-aig-custom-cost": rates}, 200, None),
            ("openai/files", {"cf-aig-custom-cost": flat}, 200, 10**9),
            ("openai/chat/completions", {"cf-aig-custom-cost": flat, "x-mock-status": "500"}, 500, None),
            ("nobody/x", {"cf-aig-custom-cost": flat}, 400, 0),
        ]
    ):
        echo = {"x-mock-echo": "body"} if path == "openai/files" else {}
        await called(there, headers | echo, path=path, event=f"flat {number}", status=status)
        row = await there.row(f"flat {number}")
        assert (row.cost, row.custom_cost) == (cost, bool(cost))


@pytest.mark.asyncio(loop_scope="module")
async def test_a_stream_is_priced_by_the_caller_too(there):
    body = BODY[:-1] + b',"stream":true}'
    await called(there, {"cf-aig-custom-cost": '{"per_token_in":1e-6,"per_token_out":1e-6}'}, body=body, event="flow")
    row = await there.row("flow")
    assert row.tokens_out
    assert (row.cost, row.custom_cost) == ((row.tokens_in + row.tokens_out) * 1000, True)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", ["cf-aig-max-attempts", "cf-aig-backoff", "cf-aig-collect-log", "cf-cache-ttl"])
async def test_a_token_of_ours_in_an_option_is_not_quoted_in_the_row(there, name):
    await called(there, {name: f"Bearer {SECRET}", "cf-aig-cache-key": "any"}, event=f"quoted {name}")
    row = await there.row(f"quoted {name}")
    (warning,) = warnings(row)
    assert name in warning
    assert "'***'" in warning
    assert SECRET.encode() not in row.detail


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "sent",
    [f'{{"team":"a","key":"{SECRET}"}}', f'{{"{SECRET}":1}}', f'{{"{SECRET}":null}}', f'{{"k":"\\u0070{SECRET[1:]}"}}'],
)
async def test_metadata_that_holds_a_token_of_ours_is_not_kept(there, sent):
    event = f"metadata {len(there.sink.records)}"
    await called(there, {"cf-aig-metadata": sent}, event=event)
    row = await there.row(event)
    assert row.metadata is None
    assert len(warnings(row)) == 1
    assert SECRET.encode() not in row.detail


@pytest.mark.asyncio(loop_scope="module")
async def test_who_is_not_let_in_has_no_say(there):
    headers = {"cf-aig-collect-log": "false", "cf-aig-metadata": '{"a":1}'}
    answer = await called(there, headers, "closed", event="no say", status=401)
    assert answer.headers["cf-aig-log-id"]
    assert (await there.row("no say")).metadata is None
    let_in = headers | {"cf-aig-authorization": f"Bearer {SECRET}"}
    assert "cf-aig-log-id" not in (await called(there, let_in, "closed")).headers


# By itself


def test_what_a_gateway_rolls_up_holds_for_calls_with_and_without_headers():
    stage = Options(collect_logs=True, collect_log_payloads=True, rolled=("user", "team"))
    for headers in ((), ((b"cf-aig-collect-log", b"false"),)):
        ex = an_exchange(*headers)
        assert stage.read(ex.request, ex.warnings).rolled == ("user", "team")


STAGE = Options(collect_logs=True, collect_log_payloads=True)


def test_a_call_that_asks_for_nothing_shares_what_all_such_calls_have():
    first = STAGE.read(an_exchange((b"cf-aig-event-id", b"mine")).request, [])
    assert first is STAGE.read(an_exchange().request, []) is STAGE.plain
    assert first == CallOptions(log=True, payloads=True)


def test_all_that_a_call_can_ask_for():
    ex = an_exchange(
        (b"Cf-Aig-Collect-Log", b" TRUE "),
        (b"cf-aig-collect-log-payload", b"0"),
        (b"cf-aig-metadata", '{"user":"zoë"}'.encode()),
        (b"cf-aig-custom-cost", b'{"per_token_in":1e-7,"per_cache_read_token":0}'),
    )
    asked = Options(collect_logs=False, collect_log_payloads=True).read(ex.request, ex.warnings)
    assert asked == CallOptions(True, False, '{"user":"zoë"}', CustomCost(token_in=10**8, cache_read=0))
    assert ex.warnings == []


def test_the_word_on_bodies_cannot_bring_back_a_row():
    ex = an_exchange((b"cf-aig-collect-log-payload", b"true"))
    assert Options(collect_logs=False, collect_log_payloads=False).read(ex.request, ex.warnings) == CallOptions(
        log=False, payloads=False
    )


SETTINGS = Retry(3, 0.25, "linear")  # a gateway's


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        ({"cf-aig-max-attempts": "2"}, Retry(2, 0.5, "exponential")),
        ({"cf-aig-max-attempts": "5", "cf-aig-retry-delay": "60000"}, Retry(5, 60.0, "exponential")),
        ({"cf-aig-max-attempts": "9"}, Retry(5, 0.5, "exponential")),
        ({"cf-aig-max-attempts": "0"}, Retry(1, 0.5, "exponential")),
        ({"cf-aig-retry-delay": "60001"}, Retry(1, 60.0, "exponential")),
        ({"cf-aig-retry-delay": "0", "cf-aig-backoff": " Constant "}, Retry(1, 0.0, "constant")),
        ({"cf-aig-max-attempts": "many", "cf-aig-backoff": "fibonacci", "cf-aig-retry-delay": "1.5"}, ONCE),
    ],
)
def test_how_often_a_call_wants_to_be_tried(headers, asked):
    ex = an_exchange(*((name.encode(), value.encode()) for name, value in headers.items()))
    assert STAGE.read(ex.request, ex.warnings).retry == asked
    strange = sum(
        value in {"many", "fibonacci", "1.5", "9", "60001"} or (value, name) == ("0", "cf-aig-max-attempts")
        for name, value in headers.items()
    )
    assert len(ex.warnings) == strange


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        ({}, SETTINGS),
        ({"cf-aig-max-attempts": "1"}, Retry(1, 0.25, "linear")),
        ({"cf-aig-retry-delay": "7"}, Retry(3, 0.007, "linear")),
        ({"cf-aig-backoff": "exponential"}, Retry(3, 0.25, "exponential")),
    ],
)
def test_a_call_goes_before_its_gateway(headers, asked):
    stage = Options(collect_logs=True, collect_log_payloads=True, retry=SETTINGS)
    ex = an_exchange(*((name.encode(), value.encode()) for name, value in headers.items()))
    assert stage.read(ex.request, ex.warnings).retry == asked


@pytest.mark.parametrize(
    ("value", "seconds", "warned"),
    [("1", 0.001, 0), ("2500", 2.5, 0), ("0", None, 0), ("-3", None, 1), ("soon", None, 1), ("86400001", 86400.0, 1)],
)
def test_how_long_a_call_waits_for_a_first_byte(value, seconds, warned):
    ex = an_exchange((b"cf-aig-request-timeout", value.encode()))
    assert STAGE.read(ex.request, ex.warnings).timeout == seconds
    assert len(ex.warnings) == warned


@pytest.mark.parametrize(
    ("value", "skips"), [("true", True), ("1", True), ("false", False), ("0", False), ("yes", False)]
)
@pytest.mark.parametrize("name", ["cf-aig-skip-cache", "cf-skip-cache"])
def test_whether_a_call_skips_the_cache(name, value, skips):
    ex = an_exchange((name.encode(), value.encode()))
    assert STAGE.read(ex.request, ex.warnings).skip_cache is skips
    assert len(ex.warnings) == (value == "yes")


def test_an_empty_key_is_none():
    assert STAGE.read(an_exchange((b"cf-aig-cache-key", b"")).request, []).cache_key is None
