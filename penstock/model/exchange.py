"""A client's call: who makes it, what holds for all of it, and the steps that it takes."""

from collections.abc import Callable, Mapping
from typing import Protocol

from penstock.core import ids
from penstock.core.errors import PenstockError
from penstock.model.caller import NOBODY, Caller
from penstock.model.options import UNADDRESSED, CallOptions
from penstock.model.request import Request
from penstock.model.route import Route
from penstock.model.step import Step

_EVENT_ID = 256  # characters of a client's event id that are kept


class ReadsOptions(Protocol):
    """What a gateway makes of the headers of a request."""

    def read(self, request: Request, warnings: list[str]) -> CallOptions:
        """What holds for the request. ``warnings`` gets a line for each header that is ignored or changed."""
        ...


class Gateway(Protocol):
    """What a call knows of its gateway; ``gateway.compile`` makes it."""

    number: int
    cache_generation: int
    log_redact: tuple[str, ...]  # paths of values that the log must not store

    @property
    def routes(self) -> Mapping[str, Route]:
        """Dynamic routes, by name."""
        ...

    @property
    def options(self) -> ReadsOptions: ...


class Itinerary(Protocol):
    """Which steps a call takes, given how those before ended."""

    sees_body: bool  # the steps are told by the body, which must be held whole
    lists: bool  # the body lists the steps, with the headers of each
    shows_step: bool  # the answer says which step it comes from

    async def first(self, ex: "Exchange") -> Step:
        """The first step; the body is here, or streams. Raises PenstockError where there is none."""
        ...

    async def after(self, step: Step, why: str) -> Step | None:
        """The step that follows one which has failed; None: there is none. Its ``error`` says if it cannot be taken."""
        ...

    async def then(self, step: Step) -> Step | None:
        """The step that follows one which has answered, in the place of whose answer its own goes out; None: none."""
        ...

    def exhausted(self) -> PenstockError | None:
        """What the client is told where all steps failed; None: the last error of a provider."""
        ...


class Drafts(Protocol):
    """Who takes down what is to be written of a call that dies with its process."""

    def draft(self, step: Step) -> None:
        """The step has reserved money: should no record of it come, it has spent that."""
        ...


class NoDrafts(Drafts):
    """Of a call that nobody records."""

    def draft(self, step: Step) -> None:
        """Nothing is taken down."""


class _Unread(ReadsOptions):
    """Headers of a call to no gateway are not read."""

    def read(self, request: Request, warnings: list[str]) -> CallOptions:
        return UNADDRESSED


class NoGateway:
    """A call to an address that does not exist belongs to number 0."""

    number = 0
    cache_generation = 0
    log_redact: tuple[str, ...] = ()
    routes: Mapping[str, Route] = {}
    options = _Unread()


NO_GATEWAY = NoGateway()
NO_DRAFTS = NoDrafts()


class Exchange:
    """Slots, each with one writer (docs/architecture.md has the table). ``started`` is in monotonic seconds."""

    __slots__ = (
        "_closers",
        "begun",
        "caller",
        "client_gone",
        "drafts",
        "error",
        "event_id",
        "gateway",
        "id",
        "itinerary",
        "last_byte",
        "name",
        "options",
        "outcome",
        "request",
        "snapshot",
        "started",
        "step",
        "steps",
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
        self.drafts: Drafts = NO_DRAFTS
        self.itinerary: Itinerary | None = None  # None: the call has not come so far as to have one
        self.step = Step(self, request, started)  # the one that runs, or that answered
        self.steps = [self.step]  # those that were begun
        self.last_byte = 0.0  # when the last byte of the answer came
        self.error: PenstockError | None = None  # what the client is told of
        self.begun = False  # bytes of an answer went out
        self.client_gone = False
        self.outcome = ""  # one of model.outcome; empty while the call runs
        self.warnings: list[str] = []  # about what the client asked of the gateway
        self._closers: list[Callable[[Exchange], None]] = []

    def name_event(self, value: bytes) -> None:
        """The client's own id of the call."""
        self.event_id = value[:_EVENT_ID].decode("latin-1")

    def let_go(self) -> None:
        """The call is over. Its steps refer to it, and it to them: a circle for the collector, unless cut."""
        for step in self.steps:
            del step.ex

    def defer(self, fn: "Callable[[Exchange], None]") -> None:
        """Runs ``fn(exchange)`` when the call ends, last deferred first, whatever else fails."""
        self._closers.append(fn)

    def close(self) -> list[BaseException]:
        """Ends the steps, last first, and runs what was deferred; returns what failed on the way."""
        failures: list[BaseException] = []
        for step in reversed(self.steps):
            failures += step.close()
        while self._closers:
            try:
                self._closers.pop()(self)
            except Exception as error:  # noqa: BLE001  one closer's fault must not keep the others from running
                failures.append(error)
        return failures
