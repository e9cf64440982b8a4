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
from penstock.model.decision import HIT
from penstock.model.exchange import Exchange
from penstock.model.outcome import Outcome
from penstock.model.plan import Target
from penstock.model.record import Detail, LogRecord, Timings
from penstock.model.refusals import RefusedRows, is_strange
from penstock.ports.logsink import LogSink
from penstock.wire import masked
from penstock.wire.credentials import Known
from penstock.wire.headers import like_ours

_PATH_LIMIT = 2048  # characters of a path that a row keeps
_NAME_LIMIT = 256  # characters of any other word that a client chose


class Recorder:
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
        return Scope(self, ex)

    def take_down(self, ex: Exchange, ended: float) -> None:
        """Counts the call, and writes what is to be written of it."""
        overhead = own_time(ex, ended)
        count(self._telemetry, ex, ended, overhead)
        if self._lines:
            access_log.info("call", extra={"fields": access_line(ex, ended, self._known)})
        if ex.options.log and self._refused.keeps(ex):
            self._sink.offer(record(ex, ended, overhead, self._known))


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
    if ex.target is not None or ex.reply is not None:  # a provider's head had come, or a cached one
        return Outcome.REFUSED if isinstance(ex.error, GatewayRefusal) else Outcome.BROKEN
    return Outcome.REFUSED if isinstance(ex.error, CallerError | GatewayRefusal) else Outcome.FAILED


def record(ex: Exchange, ended: float, overhead: float, known: Known[object]) -> LogRecord:
    """The call as a log row. Members by position, in the order of the fields: by name they would cost 2 µs more."""
    request, reply, gateway, reported = ex.request, ex.reply, ex.gateway, ex.reported
    usage = reported.usage if reported else None
    target = ex.target or (ex.plan.targets[0] if ex.plan else None)
    options, strange = ex.options, is_strange(ex)
    status = status_code(ex)
    cached = ex.cache is not None and ex.cache.status == HIT
    free = 0 if cached else None
    succeeded = ex.outcome == Outcome.ANSWERED and status < 400 and not _fault(ex)  # noqa: PLR2004
    return LogRecord(
        ex.id,
        gateway.number,
        _event(ex.event_id),
        ids.millis(ex.id),  # created_at
        round((ended - ex.started) * 1000),  # duration
        target.provider if target else "" if strange else _name(ex, request.provider, known),
        "" if strange else _model(ex, target),
        target.endpoint.model_type if target else None,
        target.endpoint.request_type if target else None,
        _path(ex, known)[: _NAME_LIMIT if strange else _PATH_LIMIT],
        status,
        succeeded,
        cached,
        0,  # step
        usage.tokens_in if usage else free,
        usage.tokens_out if usage else free,
        0 if ex.cost is None and (cached or (ex.outcome == Outcome.REFUSED and ex.target is None)) else ex.cost,
        options.cost is not None and ex.cost is not None,
        options.metadata,
        None if strange else _text(request.header(b"content-type")),
        _text(reply.header(b"content-type")) if reply else None,
        request.body.size,
        ex.answer_size,
        None if strange else _text(request.header(b"user-agent")),
        ex.outcome,
        _detail(ex, ended, overhead),
        request.body.kept() if options.payloads else None,
        ex.answer if options.payloads else None,
    )


def _model(ex: Exchange, target: Target | None) -> str:
    return (target.model if target else "") or ex.request.asked.model or (ex.reported.model if ex.reported else "")


def count(telemetry: Telemetry, ex: Exchange, ended: float, overhead: float) -> None:
    """Adds the call to the figures of the process."""
    account, gateway = (ex.request.account, ex.request.gateway) if ex.gateway.number else ("", "")
    provider = ex.plan.targets[0].provider if ex.plan else ""
    telemetry.calls.add((account, gateway, provider, ex.outcome))
    telemetry.call_duration.observe(ended - ex.started)
    telemetry.overhead.observe(overhead)
    if ex.reported is not None and (usage := ex.reported.usage) is not None:
        telemetry.tokens.add((account, gateway, provider, "in"), usage.tokens_in or 0)
        telemetry.tokens.add((account, gateway, provider, "out"), usage.tokens_out or 0)
        if ex.cost is not None:
            telemetry.cost.add((account, gateway, provider), ex.cost)


def own_time(ex: Exchange, ended: float) -> float:
    """Seconds of ours: all but the waits for heads, between attempts, and for the body that followed."""
    waited = ex.waited + (ex.last_byte - ex.first_byte if ex.last_byte and ex.first_byte else 0.0)
    for attempt in ex.attempts:
        waited += attempt.duration / 1000
    return max(0.0, ended - ex.started - waited)


def status_code(ex: Exchange) -> int:
    """What the client saw, or would have seen; 0 where it left before there was anything to see."""
    if ex.error is not None and (ex.reply is None or not ex.begun):
        return ex.error.status
    return ex.reply.status if ex.reply else 0


def access_line(ex: Exchange, ended: float, known: Known[object]) -> dict[str, object]:
    """What the access log says of a call: no query, no header, nothing that could be a credential."""
    request = ex.request
    return {
        "event": _event(ex.event_id),
        "client": request.client,
        "gateway": _name(ex, request.gateway, known),
        "provider": _name(ex, request.provider, known),
        "method": request.method.decode("latin-1"),
        "path": _path(ex, known),
        "status": status_code(ex),
        "outcome": ex.outcome,
        "duration": round((ended - ex.started) * 1000, 3),
    }


def _detail(ex: Exchange, ended: float, overhead: float) -> bytes:
    usage = ex.reported.usage if ex.reported else None
    total = ended - ex.started
    latency = ex.first_byte - ex.started if ex.first_byte else total
    return encode(
        Detail(
            ex.request.method.decode("latin-1"),
            Timings(total * 1000, latency * 1000, overhead * 1000, max(0.0, total - overhead) * 1000),
            Raw(usage.raw) if usage and usage.raw else None,
            ex.attempts,
            ex.error.message if ex.error else _fault(ex),
            ex.warnings,
            "provider" if usage and usage.cost is not None and ex.options.cost is None else "",
            ex.snapshot,
            ex.caller.token,
            ex.limit,
            ex.cache,
        )
    )


def _fault(ex: Exchange) -> str | None:
    """What is wrong with an answer that was passed on with a good status."""
    reported = ex.reported
    if reported is None or ex.outcome != Outcome.ANSWERED:
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


def _name(ex: Exchange, name: str, known: Known[object]) -> str:
    """A part of the address. Only of a call that has a plan is it a name of ours."""
    return name[:_NAME_LIMIT] if ex.plan else masked.path(name.encode("latin-1"), known, _NAME_LIMIT)


def _path(ex: Exchange, known: Known[object]) -> str:
    """Where a plan was made, the path was found to hold no token."""
    path = ex.request.path
    return path[:_PATH_LIMIT].decode("latin-1") if ex.plan else masked.path(path, known, _PATH_LIMIT)
