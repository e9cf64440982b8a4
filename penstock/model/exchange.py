"""One call's life: what each stage found out, and what must be undone when it ends."""

from collections.abc import Callable
from typing import Any, Protocol

from penstock.core import ids
from penstock.core.errors import PenstockError
from penstock.model.caller import NOBODY, Caller
from penstock.model.decision import CacheDecision, LimitDecision
from penstock.model.flight import Flight
from penstock.model.options import UNADDRESSED, CallOptions
from penstock.model.plan import Attempt, Plan, Target
from penstock.model.reply import Reply
from penstock.model.request import Request
from penstock.model.usage import Reported

_EVENT_ID = 256  # characters of a client's event id that are kept


class Gateway(Protocol):
    """What a call knows of its gateway; ``gateway.compile`` makes it."""

    number: int
    cache_generation: int


class NoGateway(Gateway):
    """A call to an address that does not exist belongs to number 0."""

    number = 0
    cache_generation = 0


NO_GATEWAY = NoGateway()


class Exchange:
    """Slots, each with one writer (docs/architecture.md has the table).

    ``started`` and ``first_byte`` are monotonic seconds; ``cost`` is nano-dollars, None while not known.
    """

    __slots__ = (
        "_closers",
        "answer",
        "answer_size",
        "attempts",
        "begun",
        "cache",
        "caller",
        "client_gone",
        "cost",
        "error",
        "event_id",
        "first_byte",
        "flight",
        "gateway",
        "id",
        "keeper",
        "last_byte",
        "limit",
        "name",
        "options",
        "outcome",
        "plan",
        "prompt",
        "reading",
        "reply",
        "reported",
        "request",
        "snapshot",
        "started",
        "target",
        "waited",
        "warnings",
    )

    def __init__(self, request: Request, started: float) -> None:
        self.id = ids.new()
        self.name = ids.text(self.id)  # the id as spelt in headers and in the API
        event_id = request.header(b"cf-aig-event-id")
        self.event_id = event_id[:_EVENT_ID].decode("latin-1") if event_id else self.name  # the client's, if it has one
        self.started = started
        self.request = request
        self.snapshot = 0  # version of the configuration this call runs on
        self.gateway: Gateway = NO_GATEWAY
        self.options: CallOptions = UNADDRESSED  # the gateway's, until the call's headers are read
        self.caller: Caller = NOBODY
        self.plan: Plan | None = None
        self.limit: LimitDecision | None = None  # None: no limit was in effect
        self.cache: CacheDecision | None = None  # None: caching was not in effect
        self.flight: Flight | None = None  # that this call leads
        self.keeper: Any = None  # what keeps its answer for the cache
        self.prompt: bytes | None = None  # sent on in the place of the body as received; None: nothing changed it
        self.attempts: list[Attempt] = []
        self.target: Target | None = None  # the one that answered
        self.reading: Any = None  # providers.reading.Reading: what the meter reads the answer with
        self.reply: Reply | None = None  # the provider's that goes out
        self.waited = 0.0  # seconds that it waited between attempts, or for another call's answer
        self.first_byte = 0.0  # when the head of the answer came; 0: it has not
        self.last_byte = 0.0  # when its last byte came
        self.answer: bytes | None = None  # the decoded answer, for the log; None: not kept or too large
        self.answer_size = 0  # bytes of the answer as they travelled
        self.reported: Reported | None = None
        self.cost: int | None = None
        self.error: PenstockError | None = None
        self.begun = False  # bytes of an answer went out
        self.client_gone = False
        self.outcome = ""  # one of model.outcome; empty while the call runs
        self.warnings: list[str] = []
        self._closers: list[Callable[[Exchange], None]] = []

    def defer(self, fn: "Callable[[Exchange], None]") -> None:
        """Runs ``fn(exchange)`` when the call ends, last deferred first, whatever else fails."""
        self._closers.append(fn)

    def close(self) -> list[BaseException]:
        """Runs what was deferred; returns what failed on the way."""
        failures: list[BaseException] = []
        while self._closers:
            try:
                self._closers.pop()(self)
            except Exception as error:  # noqa: BLE001  one closer's fault must not keep the others from running
                failures.append(error)
        return failures
