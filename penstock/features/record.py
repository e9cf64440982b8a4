"""The scope of a call: exactly one outcome, one settlement, one log record, whatever happens inside.

Writes ``outcome``. The record is offered to the log sink, which never makes a call wait; what it does when the store
is away is the sink's policy (``ports.logsink``).
"""

import asyncio
import logging
import time
from types import TracebackType

from penstock.core import ids
from penstock.core.codec import Raw, encode
from penstock.core.errors import Bug, CallerError, GatewayRefusal, Overloaded
from penstock.core.logs import access_log, log
from penstock.core.telemetry import Telemetry
from penstock.model.credential import WHOLESALE
from penstock.model.decision import HIT, CacheDecision
from penstock.model.exchange import Drafts, Exchange
from penstock.model.options import UNADDRESSED, CallOptions
from penstock.model.outcome import Outcome
from penstock.model.record import Detail, LogRecord, Priced, Timings
from penstock.model.refusals import RefusedRows, is_strange
from penstock.model.step import Step
from penstock.ports.logsink import LogSink
from penstock.providers.charge import charged
from penstock.providers.kinds import READ_KINDS
from penstock.providers.repeated import without
from penstock.wire import masked
from penstock.wire.credentials import Known
from penstock.wire.headers import like_ours

_NANO = 10**9
_PATH_LIMIT = 2048  # characters of a path that a row keeps
_NAME_LIMIT = 256  # characters of any other word that a client chose


class Recorder(Drafts):
    """Opens scopes and takes down what became of them. ``known``: which secrets are tokens of ours."""

    def __init__(
        self, sink: LogSink, telemetry: Telemetry, refused: RefusedRows, known: Known[object] = lambda _: None
    ) -> None:
        self._sink = sink
        self._telemetry = telemetry
        self._refused = refused
        self._known = known
        self._lines = access_log.isEnabledFor(logging.INFO)

    def scope(self, ex: Exchange) -> "Scope":
        """``with recorder.scope(ex):`` around everything that happens in the call."""
        ex.drafts = self
        return Scope(self, ex)

    def draft(self, step: Step) -> None:
        """Without bodies, which may be large. The final record takes its place."""
        spending, cost = step.spending, step.cost
        assert spending is not None
        step.cost = spending.estimate
        draft = record(step, time.monotonic(), self._known, logged=holding(step.ex, step).log)
        step.cost = cost
        draft.outcome, draft.draft, draft.request = Outcome.LOST, True, None
        self._sink.offer(draft)

    def take_down(self, ex: Exchange, ended: float) -> None:
        """Counts the call, and writes what is to be written of it."""
        count(self._telemetry, ex, ended)
        if self._lines:
            access_log.info("call", extra={"fields": access_line(ex, ended, self._known)})
        for step in ex.steps:
            logged = holding(ex, step).log and self._refused.keeps(step)
            if logged or ex.gateway.number:
                self._sink.offer(record(step, ended, self._known, logged=logged))


class Scope:
    """Ends its call, once. Lets no fault out: by then everything that could be answered has been."""

    __slots__ = ("_ex", "_recorder")

    def __init__(self, recorder: Recorder, ex: Exchange) -> None:
        self._recorder = recorder
        self._ex = ex

    def __enter__(self) -> Exchange:
        return self._ex

    def __exit__(self, kind: type[BaseException] | None, raised: BaseException | None, _: TracebackType | None) -> bool:
        ex = self._ex
        failures = ex.close()
        if raised is not None and not isinstance(raised, asyncio.CancelledError):
            failures.append(raised)
        for failure in failures:
            log.error("a call failed through our fault (event %s)", ex.event_id, exc_info=failure)
        ex.outcome = Outcome.BUG if failures else outcome(ex, cancelled=raised is not None)
        if failures and ex.error is None:
            ex.error = Bug()
        elif ex.outcome is Outcome.CANCELLED and not ex.begun:
            ex.error = Overloaded("The gateway is stopping; try again.")
        self._recorder.take_down(ex, time.monotonic())
        return raised is None or isinstance(raised, Exception) or ex.client_gone


def outcome(ex: Exchange, *, cancelled: bool) -> str:
    """How a call without a fault of ours ended."""
    if ex.client_gone:
        return Outcome.CLIENT_GONE
    if cancelled:
        return Outcome.CANCELLED
    if ex.error is None:
        return Outcome.ANSWERED
    if ex.step.answered or ex.step.reply is not None:  # a provider's head had come, or a cached one
        return Outcome.REFUSED if isinstance(ex.error, GatewayRefusal) else Outcome.BROKEN
    return Outcome.REFUSED if isinstance(ex.error, CallerError | GatewayRefusal) else Outcome.FAILED


def holding(ex: Exchange, step: Step) -> CallOptions:
    """The options of a step; of one that never began, those of its call."""
    return ex.options if step.options is UNADDRESSED else step.options


def record(step: Step, ended: float, known: Known[object], *, logged: bool = True) -> LogRecord:
    """A step as a log row. Members by position, in the order of the fields: by name they would cost 2 µs more."""
    ex, request, reply, reported, target = step.ex, step.request, step.reply, step.reported, step.target
    options = holding(ex, step)
    strange = is_strange(ex) or (target is None and not ex.caller.token)  # then it was refused, whatever came after it
    usage = reported.usage if reported else None
    status, became = status_code(step), step_outcome(step)
    cached = (cache := step.decisions.cache) is not None and cache.status == HIT
    free = 0 if cached else None
    ended = step.ended if step.ended and step is not ex.step else ended
    succeeded = became == Outcome.ANSWERED and status < 400 and not _fault(step)  # noqa: PLR2004
    return LogRecord(
        step.id,
        ex.gateway.number,
        logged,
        _event(ex.event_id),
        ids.millis(step.id),  # created_at
        round((ended - step.began) * 1000),  # duration
        round((step.first_byte - step.began) * 1000) if step.first_byte else None,  # latency
        target.provider if target else "" if strange else _name(step, request.provider, known),
        "" if strange else _model(step),
        target.endpoint.model_type if target else None,
        target.endpoint.request_type if target else None,
        _path(step, known)[: _NAME_LIMIT if strange else _PATH_LIMIT],
        status,
        succeeded,
        cached,
        step.index,
        usage.tokens_in if usage else free,
        usage.tokens_out if usage else free,
        0 if step.cost is None and (cached or (became == Outcome.REFUSED and not step.answered)) else step.cost,
        options.cost is not None and step.cost is not None,
        options.metadata,
        None if strange else _text(request.header(b"content-type")),
        _text(reply.header(b"content-type")) if reply else None,
        request.body.size,
        step.answer_size,
        None if strange else _text(request.header(b"user-agent")),
        became,
        bool(ex.caller.token),
        (key := step.decisions.key) is not None and key.source == WHOLESALE,
        bool(ex.request.surface.kind),
        None,  # dlp_action
        _detail(step, ended) if logged else b"{}",
        request.body.kept() if logged and options.payloads and not _lists(step) else None,
        without(step, step.answer) if logged and options.payloads and step.answer is not None else None,
        sum([used.amount for used in usage.used if used.kind in READ_KINDS]) if usage else 0,
        _saved(cache) if cached and cache else None,
        options.rolled,
        ex.gateway.log_redact,
        step.spending.spent if step.spending is not None else (),
        charged(step),
    )


def _saved(cache: CacheDecision) -> tuple[int, int, int]:
    return cache.saved_tokens_in, cache.saved_tokens_out, round((cache.saved_cost or 0) * _NANO)


def _lists(step: Step) -> bool:
    """Whether its body is still the call's list of steps, with the headers of each, credentials included."""
    ex = step.ex
    return step.request.body is ex.request.body and ex.itinerary is not None and ex.itinerary.lists


def _model(step: Step) -> str:
    target, reported = step.target, step.reported
    return (target.model if target else "") or step.request.asked.model or (reported.model if reported else "")


def step_outcome(step: Step) -> str:
    """How a step ended: the one that the client was answered with as the call did, unless it had its own error."""
    ex, error = step.ex, step.error
    if step is ex.step and (error is None or ex.outcome == Outcome.BUG):
        return ex.outcome
    if error is None:
        return Outcome.ANSWERED
    return Outcome.REFUSED if isinstance(error, CallerError | GatewayRefusal) else Outcome.FAILED


def count(telemetry: Telemetry, ex: Exchange, ended: float) -> None:
    """Adds the call to the figures of the process."""
    account, gateway = (ex.request.account, ex.request.gateway) if ex.gateway.number else ("", "")
    telemetry.calls.add((account, gateway, _provider(ex.step), ex.outcome))
    telemetry.call_duration.observe(ended - ex.started)
    telemetry.overhead.observe(max(0.0, ended - ex.started - sum([waits(step) for step in ex.steps])))
    for step in ex.steps:
        if step.reported is not None and (usage := step.reported.usage) is not None:
            provider = _provider(step)
            telemetry.tokens.add((account, gateway, provider, "in"), usage.tokens_in or 0)
            telemetry.tokens.add((account, gateway, provider, "out"), usage.tokens_out or 0)
            if step.cost is not None:
                telemetry.cost.add((account, gateway, provider), step.cost)


def _provider(step: Step) -> str:
    return step.target.provider if step.target else ""


def waits(step: Step) -> float:
    """Seconds that were not ours: the waits for heads, between attempts, and for the body that followed."""
    ex, waited = step.ex, step.waited
    if step is ex.step and ex.last_byte and step.first_byte:
        waited += ex.last_byte - max(step.first_byte, ex.steps[-1].ended)
    for attempt in step.attempts:
        waited += attempt.duration / 1000
    return waited


def status_code(step: Step) -> int:
    """What the client saw, or would have seen, of this step; 0 where it left before there was anything to see."""
    ex, reply = step.ex, step.reply
    error = step.error or (ex.error if step is ex.step else None)
    if error is not None and (reply is None or not ex.begun):
        return error.status
    return reply.status if reply else 0


def access_line(ex: Exchange, ended: float, known: Known[object]) -> dict[str, object]:
    """What the access log says of a call: no query, no header, nothing that could be a credential."""
    request = ex.request
    return {
        "event": _event(ex.event_id),
        "client": request.client,
        "gateway": _name(ex.step, request.gateway, known),
        "provider": _name(ex.step, ex.step.request.provider, known),
        "method": request.method.decode("latin-1"),
        "path": _path(ex.step, known),
        "status": status_code(ex.step),
        "outcome": ex.outcome,
        "duration": round((ended - ex.started) * 1000, 3),
    }


def _detail(step: Step, ended: float) -> bytes:
    ex, warnings = step.ex, step.ex.warnings + step.warnings if step.ex.warnings else step.warnings
    usage = step.reported.usage if step.reported else None
    total = ended - step.began
    latency = step.first_byte - step.began if step.first_byte else total
    upstream = min(total, waits(step))
    error = step.error or (ex.error if step is ex.step else None)
    return encode(
        Detail(
            step.request.method.decode("latin-1"),
            Timings(total * 1000, latency * 1000, (total - upstream) * 1000, upstream * 1000),
            step.decisions,
            Raw(usage.raw) if usage and usage.raw else None,
            step.attempts,
            error.message if error else _fault(step),
            warnings,
            _source(step),
            ex.snapshot,
            ex.caller.token,
            Priced(usage.model, usage.used, usage.terms, usage.prices) if usage and usage.prices else None,
        )
    )


def _source(step: Step) -> str:
    """Where the cost is from that is neither by the list nor by the caller's prices."""
    if step.spending is not None and step.spending.reserved:
        return "reserved"
    usage = step.reported.usage if step.reported else None
    return "provider" if usage and usage.cost is not None and holding(step.ex, step).cost is None else ""


def _fault(step: Step) -> str | None:
    """What is wrong with an answer that was passed on with a good status."""
    reported = step.reported
    if reported is None or step_outcome(step) != Outcome.ANSWERED:
        return None
    if reported.error:
        return "The provider reported an error in an answer with a status of success."
    return None if reported.complete else "The answer ended before its dialect's end: it is not whole."


def _event(sent: str) -> str:
    """An event id as its client wrote it: in UTF-8, unless it cannot be that.

    ``sent`` has a character for each byte, so that it goes back as it came. Where it was cut, half a character at its
    end is left out.
    """
    if ("pst_" in sent or "%" in sent) and like_ours(sent.encode("latin-1")):
        return masked.MASK
    if sent.isascii():
        return sent
    data = sent.encode("latin-1")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        half = error.reason == "unexpected end of data" and len(data) == _NAME_LIMIT
        return data[: error.start].decode() if half else sent


def _text(value: bytes | None) -> str | None:
    return masked.word(value) if value is not None else None


def _name(step: Step, name: str, known: Known[object]) -> str:
    """A part of the address. Only of a step that has a target is it a name of ours."""
    return name[:_NAME_LIMIT] if step.target else masked.path(name.encode("latin-1", "replace"), known, _NAME_LIMIT)


def _path(step: Step, known: Known[object]) -> str:
    """Where a target was found, the path was found to hold no token."""
    path = step.request.path
    return path[:_PATH_LIMIT].decode("latin-1") if step.target else masked.path(path, known, _PATH_LIMIT)
