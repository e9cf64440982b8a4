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
from penstock.core.errors import Bug, CallerError, GatewayRefusal
from penstock.core.logs import ACCESS
from penstock.core.telemetry import Telemetry
from penstock.model.exchange import Exchange
from penstock.model.outcome import Outcome
from penstock.model.record import Detail, LogRecord
from penstock.ports.logsink import LogSink

_log = logging.getLogger("penstock")
_access = logging.getLogger(ACCESS)
_PATH_LIMIT = 2048  # characters of a path that a row keeps


class Recorder:
    """Opens scopes and takes down what became of them."""

    def __init__(self, sink: LogSink, telemetry: Telemetry) -> None:
        self.sink = sink
        self.telemetry = telemetry

    def scope(self, ex: Exchange) -> "Scope":
        """``with recorder.scope(ex):`` around everything that happens in the call."""
        return Scope(self, ex)


class Scope:
    """Ends its call, once. Lets no exception out: by then everything that could be answered has been."""

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
            _log.error("a call failed through our fault (event %s)", ex.event_id, exc_info=failure)
        ex.outcome = Outcome.BUG if failures else outcome(ex, cancelled=raised is not None)
        if failures and ex.error is None:
            ex.error = Bug()
        ended = time.monotonic()
        count(self._recorder.telemetry, ex, ended)
        if _access.isEnabledFor(logging.INFO):
            _access.info("call", extra={"fields": access_line(ex, ended)})
        if ex.gateway is None or ex.gateway.collect_logs:
            self._recorder.sink.offer(record(ex, ended))
        return raised is None or isinstance(raised, Exception) or ex.client_gone


def outcome(ex: Exchange, *, cancelled: bool) -> Outcome:
    """How a call without a fault of ours ended."""
    if ex.client_gone:
        return Outcome.CLIENT_GONE
    if cancelled:
        return Outcome.CANCELLED
    if ex.error is None:
        return Outcome.ANSWERED
    if ex.target is not None:  # a provider's head had come
        return Outcome.REFUSED if isinstance(ex.error, GatewayRefusal) else Outcome.BROKEN
    return Outcome.REFUSED if isinstance(ex.error, CallerError | GatewayRefusal) else Outcome.FAILED


def record(ex: Exchange, ended: float) -> LogRecord:
    """The call as a log row."""
    request, reply, gateway = ex.request, ex.reply, ex.gateway
    usage = ex.reported.usage if ex.reported else None
    endpoint = ex.plan.targets[0].endpoint if ex.plan else None
    payloads = gateway is not None and gateway.collect_log_payloads
    status = _status(ex)
    return LogRecord(
        id=ex.id,
        account=request.account if gateway else "",  # an address that does not exist is nobody's
        gateway=request.gateway if gateway else "",
        event_id=ex.event_id,
        created_at=ids.millis(ex.id),
        duration=round((ended - ex.started) * 1000),
        provider=ex.target.provider if ex.target else request.provider,
        model=request.asked.model or (ex.reported.model if ex.reported else ""),
        model_type=endpoint.model_type if endpoint else None,
        request_type=endpoint.request_type if endpoint else None,
        path=request.path[:_PATH_LIMIT].decode("latin-1"),
        status_code=status,
        success=_succeeded(ex, status),
        cached=False,
        step=0,
        tokens_in=usage.tokens_in if usage else None,
        tokens_out=usage.tokens_out if usage else None,
        cost=ex.cost,
        custom_cost=False,
        metadata=None,
        request_content_type=_text(request.header(b"content-type")),
        response_content_type=_text(reply.header(b"content-type") if reply else None),
        request_size=request.body.size,
        response_size=ex.answer_size,
        user_agent=_text(request.header(b"user-agent")),
        outcome=ex.outcome.value if ex.outcome else "",
        detail=_detail(ex, ended),
        request=request.body.kept() if payloads else None,
        response=ex.answer if payloads else None,
    )


def count(telemetry: Telemetry, ex: Exchange, ended: float) -> None:
    """Adds the call to the figures of the process."""
    gateway = ex.request.gateway if ex.gateway else ""
    provider = ex.plan.targets[0].provider if ex.plan else ""
    telemetry.calls.add((gateway, provider, ex.outcome.value if ex.outcome else ""))
    telemetry.call_duration.observe(ended - ex.started)
    telemetry.overhead.observe(overhead(ex, ended))
    if usage := ex.reported.usage if ex.reported else None:
        telemetry.tokens.add((gateway, provider, "in"), usage.tokens_in)
        telemetry.tokens.add((gateway, provider, "out"), usage.tokens_out)
    if ex.cost is not None:
        telemetry.cost.add((gateway, provider), ex.cost)


def access_line(ex: Exchange, ended: float) -> dict[str, object]:
    """What the access log says of a call: no query, no header, nothing that could be a credential."""
    request = ex.request
    return {
        "event": ex.event_id,
        "gateway": request.gateway,
        "provider": request.provider,
        "method": request.method.decode("latin-1"),
        "path": request.path[:_PATH_LIMIT].decode("latin-1"),
        "status": _status(ex),
        "outcome": ex.outcome.value if ex.outcome else "",
        "duration": _ms(ended - ex.started),
    }


def overhead(ex: Exchange, ended: float) -> float:
    """Seconds of ours: all but the wait for a head and for the body that followed it."""
    waited = sum(attempt.ended - attempt.started for attempt in ex.attempts if attempt.ended)
    streamed = ex.last_byte - ex.first_byte if ex.last_byte else 0.0
    return max(0.0, ended - ex.started - waited - streamed)


def _status(ex: Exchange) -> int:
    """What the client saw, or would have seen; 0 where it left before there was anything to see."""
    return ex.reply.status if ex.reply else ex.error.status if ex.error else 0


def _succeeded(ex: Exchange, status: int) -> bool:
    return ex.outcome is Outcome.ANSWERED and status < 400 and not (ex.reported and ex.reported.error)  # noqa: PLR2004


def _detail(ex: Exchange, ended: float) -> bytes:
    usage = ex.reported.usage if ex.reported else None
    first = ex.first_byte or ended
    return encode(
        Detail(
            method=ex.request.method.decode("latin-1"),
            timings={
                "total": _ms(ended - ex.started),
                "latency": _ms(first - ex.started),
                "overhead": _ms(overhead(ex, ended)),
            },
            usage=Raw(usage.raw) if usage and usage.raw else None,
            attempts=[
                {
                    "provider": a.provider,
                    "host": a.origin.host,
                    "status": a.status,
                    "error": a.error,
                    "duration": _ms((a.ended or ended) - a.started),
                    "reused": a.reused,
                }
                for a in ex.attempts
            ],
            error=ex.error.message if ex.error else None,
            warnings=ex.warnings,
            snapshot=ex.snapshot,
        )
    )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _text(value: bytes | None) -> str | None:
    return value[:256].decode("latin-1") if value is not None else None
