"""What remains of a call."""

import dataclasses
import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from penstock.core import ids
from penstock.core.errors import (
    Bug,
    MalformedRequest,
    PromptBlocked,
    ProviderBroke,
    RateLimited,
    ReplyBlocked,
    UnknownPath,
)
from penstock.core.telemetry import Counter, Telemetry
from penstock.features.record import Recorder, outcome, waits
from penstock.gateway.snapshot import Snapshot
from penstock.model.decision import CacheDecision
from penstock.model.endpoint import OPAQUE
from penstock.model.options import CallOptions
from penstock.model.outcome import Outcome
from penstock.model.refusals import RefusedRows
from penstock.model.reply import Body, Reply
from penstock.model.step import Step
from penstock.model.usage import Reported, Usage, Used
from tests.kit.client import until
from tests.kit.exchange import an_exchange
from tests.kit.house import house, request
from tests.kit.logsink import MemoryLogSink
from tests.kit.store import ACCOUNT, OPEN, SECRET, a_token

CHOSEN = "chosen-by-the-operator-1"


@pytest_asyncio.fixture
async def secretive(caplog):
    caplog.set_level(logging.INFO, "penstock.access")
    gateways = {"default": OPEN, "closed": {"authentication": True}}
    async with house(access_log=True, gateways=gateways, tokens=[a_token(secret=CHOSEN)]) as made:
        yield made


ALL = RefusedRows(1_000, Counter())
CHAT = b'{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}'


@pytest.mark.parametrize(
    ("error", "headed", "gone", "cancelled", "expected"),
    [
        (None, True, False, False, "answered"),
        (None, True, True, True, "client_gone"),
        (RateLimited(), False, True, False, "client_gone"),
        (None, True, False, True, "cancelled"),
        (RateLimited(), False, False, False, "refused"),
        (MalformedRequest(), False, False, False, "refused"),
        (ProviderBroke(), False, False, False, "failed"),
        (ProviderBroke(), True, False, False, "broken"),
        (ReplyBlocked(), True, False, False, "refused"),
    ],
)
def test_every_end_has_its_outcome(error, headed, gone, cancelled, expected):
    ex = an_exchange()
    ex.error, ex.client_gone = error, gone
    target: Any = object()
    ex.step.target, ex.step.answered = (target, True) if headed else (None, False)
    assert outcome(ex, cancelled=cancelled) == expected


def test_a_scope_runs_what_was_deferred_last_first_and_writes_one_row_whatever_fails(caplog):
    sink, ran = MemoryLogSink(), []
    ex = an_exchange()

    def fails(_):
        ran.append("fails")
        raise RuntimeError("a closer's fault")

    with Recorder(sink, Telemetry(), ALL).scope(ex):
        ex.defer(lambda _: ran.append("first"))
        ex.defer(fails)
        ex.defer(lambda _: ran.append("last"))
        raise ZeroDivisionError("a stage's fault")
    assert ran == ["last", "fails", "first"]
    (row,) = sink.records
    assert (row.outcome, row.status_code, row.success) == ("bug", 500, False)
    assert isinstance(ex.error, Bug)
    faults = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(faults) == 2
    assert all(ex.event_id in record.getMessage() for record in faults)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house() as made:
        yield made


def number(made):
    """Of the gateway ``default``."""
    return made.server.app.snapshots.current.gateway(an_exchange()).number


@pytest.mark.asyncio(loop_scope="module")
async def test_a_row_tells_the_whole_call(there):
    async with there.client() as client:
        headers = {"user-agent": "Own/1", "content-type": "application/json"}
        answer = await client.ask(
            request("openai/v1/chat/completions?a=secret", headers=headers, body=CHAT, event="told")
        )
    row = await there.row("told")
    assert ids.text(row.id) == answer.headers["cf-aig-log-id"]
    assert (row.gateway, row.provider, row.model) == (number(there), "openai", "gpt-4o")
    known = there.server.app.routes["openai"].target(b"chat/completions").endpoint
    assert (row.model_type, row.request_type) == (known.model_type, known.request_type)
    assert (row.path, row.status_code, row.success, row.outcome) == ("v1/chat/completions", 200, True, "answered")
    assert (row.tokens_in, row.tokens_out, row.cached, row.step, row.custom_cost) == (2, 4, False, 0, False)
    assert row.cost == 2 * 2500 + 4 * 10_000
    assert (row.request, row.response) == (CHAT, answer.body)
    assert (row.request_size, row.response_size) == (len(CHAT), len(answer.body))
    assert (row.request_content_type, row.response_content_type) == ("application/json", "application/json")
    assert row.user_agent == "Own/1"
    assert row.created_at == ids.millis(row.id)
    detail = json.loads(row.detail)
    assert detail["method"] == "POST"
    assert detail["timings"]["total"] >= detail["timings"]["latency"] >= 0
    assert 0 <= detail["timings"]["overhead"] <= detail["timings"]["total"]
    assert detail["usage"]["prompt_tokens"] == 2
    assert detail["priced"].pop("prices").startswith("genai-prices ")
    assert detail["priced"]["model"] == "gpt-4o"
    assert detail["priced"]["used"] == [["input", 2, []], ["output", 4, []]]
    assert b"secret" not in row.detail + row.path.encode()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("path", "gateway", "status", "owned"),
    [("openai/x", "nowhere", 400, False), ("nobody/x", "default", 400, True), ("", "", 404, False)],
)
async def test_a_refused_call_is_told_too_and_an_address_that_does_not_exist_is_nobodys(
    there, path, gateway, status, owned
):
    event = f"refused {path} {gateway}"
    async with there.client() as client:
        await client.ask(request(path, gateway=gateway, event=event))
    row = await there.row(event)
    assert (row.outcome, row.status_code, row.success) == ("refused", status, False)
    assert row.gateway == (number(there) if owned else 0)
    assert (row.tokens_in, row.cost, row.custom_cost) == (None, 0, False)
    assert json.loads(row.detail)["error"]


@pytest.mark.parametrize(
    ("error", "headed", "gone", "cost"),
    [
        (RateLimited(), False, False, 0),
        (PromptBlocked(), False, False, 0),
        (UnknownPath(), False, False, 0),
        (ReplyBlocked(), True, False, None),  # the provider did its work
        (ProviderBroke(), False, False, None),
        (RateLimited(), False, True, None),
        (None, True, False, None),
    ],
)
def test_what_was_refused_before_a_provider_answered_cost_nothing_and_what_is_not_known_stays_unknown(
    error, headed, gone, cost
):
    sink, ex = MemoryLogSink(), an_exchange()
    target: Any = SimpleNamespace(provider="openai", model="", endpoint=OPAQUE)
    with Recorder(sink, Telemetry(), ALL).scope(ex):
        ex.error, ex.client_gone = error, gone
        ex.step.target, ex.step.answered = (target, True) if headed else (None, False)
    (row,) = sink.records
    assert (row.cost, row.custom_cost) == (cost, False)


def test_a_record_has_what_roll_ups_count():
    sink, ex = MemoryLogSink(), an_exchange()
    ex.step.options = CallOptions(log=True, payloads=False, rolled=("user",))
    with Recorder(sink, Telemetry(), ALL).scope(ex):
        usage = Usage(9, 2, [Used("input", 2), Used("cache_read", 4), Used("cache_read_audio", 3), Used("output", 2)])
        ex.step.reported = Reported(usage=usage)
        ex.step.decisions.cache = CacheDecision("MISS", "k", 60)
    hit = an_exchange()
    with Recorder(sink, Telemetry(), ALL).scope(hit):
        hit.step.decisions.cache = CacheDecision(
            "HIT", "k", 60, saved_tokens_in=7, saved_tokens_out=5, saved_cost=0.1 + 0.2
        )
    miss, found = sink.records
    assert (miss.cache_read, miss.saved, miss.rolled) == (7, None, ("user",))
    assert (found.cache_read, found.saved, found.rolled) == (0, (7, 5, 300_000_000), ())


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (b"plain", "plain"),
        ("zoë – 東京 🚀".encode(), "zoë – 東京 🚀"),
        (b"zo\xeb", "zoë"),
        (b"\xe6\x9d", "æ\x9d"),
        ("é".encode() + b"\xff", "Ã©ÿ"),
        (b"a" * 254 + "東".encode(), "a" * 254),  # 256 bytes are kept
        (b"a" * 255 + b"\xff\xff", "a" * 255 + "ÿ"),
    ],
)
async def test_an_event_id_is_stored_as_its_client_wrote_it_and_goes_back_byte_for_byte(there, sent, stored):
    async with there.client() as client:
        asked = request().replace(b"\r\n", b"\r\ncf-aig-event-id: " + sent + b"\r\n", 1)
        answer = await client.ask(asked)
    assert b"\r\ncf-aig-event-id: " + sent[:256] + b"\r\n" in answer.head
    (row,) = [row for row in there.sink.records if ids.text(row.id) == answer.headers["cf-aig-log-id"]]
    assert row.event_id == stored


@pytest.mark.asyncio(loop_scope="module")
async def test_a_200_that_carries_an_error_is_no_success(there):
    async with there.client() as client:
        answer = await client.ask(request(headers={"x-mock-error-body": "1"}, body=CHAT, event="error-body"))
        assert answer.status == 200
    row = await there.row("error-body")
    assert (row.outcome, row.status_code, row.success) == ("answered", 200, False)


class Blocking:
    """A guard that finds something in an answer: in its head, or in its bytes."""

    def __init__(self, fault, *, at_once):
        self.fault = fault
        self.at_once = at_once

    async def inspect_request(self, ex): ...

    async def inspect_reply(self, step, reply):
        if self.at_once:
            raise self.fault
        reply.put(self)
        return reply

    def feed(self, data):
        raise self.fault

    def end(self):
        return b""


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    ("fault", "status", "outcome"), [(ReplyBlocked(), 424, "refused"), (ZeroDivisionError("planted"), 500, "bug")]
)
async def test_an_answer_that_was_replaced_whole_has_the_status_that_the_client_saw(fault, status, outcome, at_once):
    def guarded(app):
        plain = app.snapshots.current.gateway(an_exchange())
        gateway = dataclasses.replace(plain, guard=Blocking(fault, at_once=at_once))
        return Snapshot(2, {(ACCOUNT, "default"): gateway})

    async with house(adjust=guarded) as made:
        async with made.client() as client:
            answer = await client.ask(request(body=CHAT, event="replaced"))
        row = await made.row("replaced")
        await made.quiet()
    assert (answer.status, answer.whole) == (status, True)
    assert (row.status_code, row.outcome, row.success) == (status, outcome, False)
    assert row.provider == "openai"
    if outcome == "refused":  # its provider is paid all the same, and the client did not get it
        assert (row.tokens_in, row.response) == (2, None)
        assert row.cost


@pytest.mark.asyncio(loop_scope="module")
async def test_long_values_are_cut_and_strange_ones_kept(there):
    async with there.client() as client:
        await client.ask(request(f"openai/{'p' * 9000}", headers={"user-agent": "\xff" * 999}, event="long"))
    row = await there.row("long")
    assert (len(row.path), row.user_agent) == (2048, "\xff" * 256)


@pytest.mark.parametrize(
    ("reported", "why"),
    [
        (Reported("m"), None),
        (Reported("m", error=True), "reported an error"),
        (Reported("m", complete=False), "ended before its dialect's end"),
    ],
)
def test_an_answer_that_is_an_error_or_not_whole_is_a_failure_and_says_why(reported, why):
    sink, ex = MemoryLogSink(), an_exchange()
    ex.step.reply = Reply(200, b"OK", [], Body())
    with Recorder(sink, Telemetry(), ALL).scope(ex):
        ex.step.reported = reported
    (row,) = sink.records
    assert (row.outcome, row.success) == (Outcome.ANSWERED, why is None)
    assert (why or "None") in str(json.loads(row.detail).get("error"))


@pytest.mark.asyncio(loop_scope="module")
async def test_every_call_is_counted_once(there):
    calls = there.server.app.telemetry.calls.values
    before = sum(calls.values()), len(there.sink.records)
    async with there.client() as client:
        for path in ("openai/x", "nobody/x", ""):
            await client.ask(request(path))
    assert (sum(calls.values()) - before[0], len(there.sink.records) - before[1]) == (3, 3)


SECRET_PATHS = {
    "a path": f"/v1/{ACCOUNT}/default/openai/{SECRET}/x",
    "an encoded path": f"/v1/{ACCOUNT}/default/openai/%70st_{SECRET[4:]}",
    "a provider": f"/v1/{ACCOUNT}/default/{SECRET}/x",
    "a gateway": f"/v1/{ACCOUNT}/{SECRET}/openai/x",
    "an account": f"/v1/{SECRET}/default/openai/x",
    "no address": f"/v1/{SECRET}",
    "a path of a closed gateway": f"/v1/{ACCOUNT}/closed/openai/{SECRET}",
    "a chosen token as a provider": f"/v1/{ACCOUNT}/closed/{CHOSEN}/x",
}


@pytest.mark.parametrize("case", SECRET_PATHS)
async def test_a_token_in_an_address_is_neither_in_the_row_nor_in_the_line(secretive, caplog, case):
    rows = len(secretive.sink.records)
    async with secretive.client() as client:
        answer = await client.ask(request().replace(request().split(b" ")[1], SECRET_PATHS[case].encode()))
        assert answer.status in {400, 401, 404}
    await until(lambda: len(secretive.sink.records) > rows or not secretive.server.app.plane.calls)
    told = repr([(record, record.detail) for record in secretive.sink.records[rows:]]) + repr(
        [vars(record) for record in caplog.records if record.name == "penstock.access"]
    )
    assert SECRET[4:] not in told
    assert CHOSEN not in told
    assert "***" in told or case == "an account"  # which is not told


async def test_a_token_in_a_word_of_the_client_is_not_in_the_row(secretive):
    async with secretive.client() as client:
        words = {"user-agent": f"curl {SECRET}", "cf-aig-event-id": SECRET, "content-type": f"x; {SECRET}"}
        rows = len(secretive.sink.records)
        assert (await client.ask(request(headers=words))).status == 200
        await until(lambda: len(secretive.sink.records) > rows)
        row = secretive.sink.records[-1]
        assert (row.user_agent, row.event_id, row.request_content_type) == ("***", "***", "***")


async def test_the_access_line_tells_no_secret(caplog):
    caplog.set_level(logging.INFO, "penstock.access")
    async with house(access_log=True) as made, made.client() as client:
        headers = {"authorization": "Bearer sk-secret", "x-api-key": "sk-secret"}
        await client.ask(request("openai/x?key=sk-secret", headers=headers, body=b"sk-secret", event="line"))
        await made.row("line")
    lines = [record.__dict__["fields"] for record in caplog.records if record.getMessage() == "call"]
    assert [line["event"] for line in lines] == ["line"]
    assert "secret" not in str(lines) + caplog.text


def test_the_wait_for_a_body_that_was_set_aside_begins_with_its_turn():
    ex = an_exchange()
    later = Step(ex, ex.request, 2.0)
    ex.step.first_byte, ex.last_byte, later.ended = 1.0, 10.0, 9.0
    ex.steps.append(later)
    assert waits(ex.step) == 1.0


async def test_calls_on_the_operators_key_are_charged_with_its_markup_and_no_others():
    token = {"cf-aig-authorization": f"Bearer {SECRET}"}
    cost = 2 * 2500 + 4 * 10_000
    body = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hello"}]}'
    calls = {
        "plain": ({}, (cost, cost * 110 // 100)),
        "their own key": ({"authorization": "Bearer sk-mine"}, (cost, None)),
        "their own prices": ({"cf-aig-custom-cost": '{"total_cost":0}'}, (0, cost * 110 // 100)),
        "failed": ({"x-mock-status": "500"}, (None, None)),
    }
    markups = (("anthropic", "*", 90.0), ("openai", "gpt-4*", 10.0), ("*", "*", 50.0))
    gateways = {"default": {"cache_ttl": 60}}
    calls = {event: (headers | {"cf-aig-skip-cache": "true"}, told) for event, (headers, told) in calls.items()}
    given: dict[str, Any] = {"provider_keys": {"openai": "sk-operator"}, "markups": markups, "gateways": gateways}
    async with house(**given) as made, made.client() as client:
        for event, (headers, _) in calls.items():
            await client.ask(request(headers=token | headers, event=event))
        for event in ("mini", "cached"):
            await client.ask(request(headers=token | {"cf-aig-cache-key": "mini"}, body=body, event=event))
        found = {
            event: (row := await made.row(event), row.cost, row.charge)[1:] for event in [*calls, "mini", "cached"]
        }
    mini = found.pop("mini")
    assert found.pop("cached") == (0, None)
    assert mini[0] is not None
    assert mini[1] == (ACCOUNT, (mini[0] * 110 + 50) // 100)
    assert found == {
        event: (cost, None if charge is None else (ACCOUNT, charge)) for event, (_, (cost, charge)) in calls.items()
    }
