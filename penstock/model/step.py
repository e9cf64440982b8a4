"""One place that a call goes to: what each stage found out there, and what must be undone when the step ends."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from penstock.core.errors import PenstockError
from penstock.model.credential import Credential
from penstock.model.decision import Decisions
from penstock.model.flight import Flight
from penstock.model.options import UNADDRESSED, CallOptions
from penstock.model.outgoing import Outgoing
from penstock.model.plan import Attempt, Target
from penstock.model.reply import Reply
from penstock.model.request import Request
from penstock.model.spending import Spending
from penstock.model.usage import Reported

if TYPE_CHECKING:
    from penstock.model.exchange import Exchange

_NONE: frozenset[bytes] = frozenset()


class Step:
    """Slots, each with one writer (docs/architecture.md has the table).

    ``began``, ``ended`` and ``first_byte`` are monotonic seconds; ``cost`` is nano-dollars, None while not known.
    """

    __slots__ = (
        "_closers",
        "answer",
        "answer_size",
        "answered",
        "attempts",
        "began",
        "cost",
        "credential",
        "decisions",
        "ended",
        "error",
        "ex",
        "first_byte",
        "flight",
        "hides_usage",
        "id",
        "index",
        "keeper",
        "keyed",
        "last",
        "name",
        "options",
        "outgoing",
        "places",
        "query",
        "reading",
        "reply",
        "reported",
        "request",
        "sends",
        "spending",
        "target",
        "translation",
        "waited",
        "warnings",
        "wraps",
    )

    def __init__(self, ex: "Exchange", request: Request, began: float) -> None:
        self.ex = ex
        self.id = ex.id  # of its row; a further step has one of its own
        self.name = ex.name  # the id as spelt in headers and in the API
        self.index = 0
        self.last = True  # no other step follows, however this one ends
        self.began = began
        self.ended = 0.0  # 0: it has not
        self.request = request  # what is asked of this place; of a native call, the client's own
        self.options: CallOptions = UNADDRESSED  # the gateway's, until headers are read
        self.sends: bytes | None = None  # the body that travels in the place of the request's own
        self.translation: Any = None  # providers.translating.Translation; None: the client speaks the target's dialect
        self.places = _NONE  # headers that do not travel: credentials of ours, and what stands in the place of one
        self.query: bytes | None = None  # the query that travels, with its question mark; None: the request's own
        self.wraps = False  # its answer goes into the envelope of the API
        self.credential: Credential | None = None  # of ours, to be sent; None: the client's own, or none
        self.target: Target | None = None  # None: not known yet, or refused
        self.decisions = Decisions()
        self.spending: Spending | None = None  # what it reserved; None: no limit holds for it
        self.flight: Flight | None = None  # that this step leads
        self.keyed = b""  # the path for a stored key that tells parts of it; empty: any key goes with the target
        self.keeper: Any = None  # what keeps its answer for the cache
        self.outgoing: Outgoing | None = None  # what the target is sent; None: not composed yet
        self.hides_usage = False  # the stream was asked for usage that its client did not ask for
        self.attempts: list[Attempt] = []
        self.answered = False  # the head of the target's answer came
        self.reading: Any = None  # providers.reading.Reading: what the meter reads the answer with
        self.reply: Reply | None = None  # the provider's, or the cache's
        self.waited = 0.0  # seconds that it waited between attempts, or for another call's answer
        self.first_byte = 0.0  # when the head of the answer came; 0: it has not
        self.answer: bytes | None = None  # the decoded answer, for the log; None: not kept or too large
        self.answer_size = 0  # bytes of the answer as they travelled
        self.reported: Reported | None = None
        self.cost: int | None = None
        self.error: PenstockError | None = None  # why it came to no answer
        self.warnings: list[str] = []
        self._closers: list[Callable[[Step], None]] = []

    def is_last_resort(self) -> bool:
        """Whether an attempt that is the step's last is the call's last too, and not its only one."""
        return self.last and any(step.attempts for step in self.ex.steps)

    def take_in(self) -> None:
        """The answer goes no further. What came of it was paid for, so it is read; the log does not get it."""
        if self.reply is not None and self.reading is not None and not self.reply.gathered:
            self.reading.keep_nothing()
            for frame in self.reply.body.frames:
                self.reading.feed(frame)
            self.reply.body.frames = []

    def defer(self, fn: "Callable[[Step], None]") -> None:
        """Runs ``fn(step)`` when the step ends, last deferred first, whatever else fails."""
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
