"""What a dialect is: one object that names its facets. Each facet is a module of the dialect's folder.

No facet raises on strange bytes: what cannot be read is simply not learnt.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from penstock.core.budget import Allowance
from penstock.core.codec import Raw
from penstock.core.errors import PenstockError
from penstock.core.headers import Headers
from penstock.model.chat import Answer, ChatRequest, Event, Failure, Notes
from penstock.model.reply import Reading, Stage
from penstock.model.usage import Asked, Reported
from penstock.providers.accounting import Figures

Message = dict[str, Any] | Raw  # ready to be encoded


class StreamReader(Protocol):
    """Reads a stream event by event, from the side."""

    def dull(self, data: bytes) -> bool:
        """Whether none of the whole SSE events in ``data`` says anything of the call; they need not be cut then."""
        ...

    def event(self, data: bytes) -> None:
        """Takes one SSE event, with or without its blank line. Never raises."""
        ...

    def reported(self) -> Reported:
        """What the stream has said of itself so far."""
        ...


class Unstreamed:
    """The reader of a dialect without streams: it learns nothing, and sees no end."""

    def dull(self, data: bytes) -> bool:
        return True

    def event(self, data: bytes) -> None:
        """Nothing to learn."""

    def reported(self) -> Reported:
        return Reported(complete=False)


def _no_frame(error: PenstockError) -> bytes:
    return b""


def _no_message(chunks: list[bytes]) -> None:
    return None


class HidingStage(Stage, Protocol):
    """Takes the frame that was asked for out of the answer again."""

    def close(self, _: object = None) -> None:
        """The call has ended."""
        ...


class UsageFrame(NamedTuple):
    """How a stream is asked for the frame with its usage, where it would not send one."""

    ask: Callable[[bytes], bytes | None]  # the body with the question spliced in; None: there is nothing to ask
    hide: Callable[[Reading, Allowance], HidingStage]  # what reads the stream, and bytes that may be held


class ChatStreamReader(Protocol):
    """Reads the stream of a provider, for a translation. One for each answer."""

    def data(self, data: bytes) -> list[Event]:
        """What the data of one event says. Raises DecodeError and LookupError on what the dialect cannot have."""
        ...

    def end(self) -> list[Event]:
        """The stream has ended properly; what that alone tells. Without an ``End`` by now, it is not whole."""
        ...


class ChatStreamWriter(Protocol):
    """Writes the stream for a client. One for each answer."""

    def event(self, event: Event) -> bytes:
        """Complete server-sent events, or nothing. Of ``Broken``, the event that tells it."""
        ...


class ChatProvider(NamedTuple):
    """A dialect in which providers are asked for a chat."""

    write_request: Callable[[ChatRequest, Notes], bytes]  # raises MalformedChat for what cannot be said
    read_answer: Callable[[bytes], Answer]  # raises DecodeError and LookupError
    reader: Callable[[], ChatStreamReader]
    read_failure: Callable[[bytes], Failure]  # of an error's body; never raises
    only_bytes: frozenset[str] = frozenset()  # kinds of media that it does not take by URL
    read_request: Callable[[bytes], ChatRequest] | None = None  # for who reads the log, where no client facet does


class ChatClient(NamedTuple):
    """A dialect in which clients ask for a chat."""

    read_request: Callable[[bytes], ChatRequest]  # raises MalformedChat
    write_answer: Callable[[Answer, ChatRequest], bytes]
    writer: Callable[[ChatRequest], ChatStreamWriter]
    write_failure: Callable[[int, Failure], bytes]  # by status


Pieces = tuple[
    tuple[str, str], ...
]  # paths of a whole answer, as in "a.list[*].member", and of an event; "": all of it


class Dialect(NamedTuple):
    """One wire format."""

    name: str

    # request.py
    asked: Callable[[bytes], Asked]  # what a request body asks for

    # usage.py
    figures: Figures  # what its usage objects call their figures
    reported: Callable[[bytes], Reported]  # what a complete, decoded answer says of itself
    reported_edges: Callable[[bytes, bytes], Reported]  # the same of a large answer's first and last bytes
    silent: bool = False  # whole answers tell nothing, and are not held to be read

    # headers.py
    completed: Callable[[Reported, Headers], None] | None = None  # adds what an answer's headers say; None: nothing

    # stream.py
    reader: Callable[[], StreamReader] = Unstreamed  # for one streamed answer
    done: bytes = b""  # the data of an event that says only that the stream has ended; empty: it has none
    token_size: int = 256  # bytes of a stream for each token of its text, about

    # errors.py
    error_frame: Callable[[PenstockError], bytes] = _no_frame  # tells a stream's client that it broke

    # message.py
    message: Callable[[list[bytes]], Message | None] = _no_message  # what the data of a stream's events make together
    pieces: Pieces = ()  # where a value of a whole answer stands in the events, if not at its own path

    # ask_usage.py and hide_usage.py
    usage_frame: UsageFrame | None = None  # None: its streams report usage unasked

    # chat/
    client: ChatClient | None = None  # None: the unified API does not let clients speak it
    provider: ChatProvider | None = None  # None: no request is translated into it
