"""A chat between a client and a provider of two dialects, by way of the neutral form. Pure but for its own state."""

from collections.abc import Sequence

from penstock.core.codec import DecodeError
from penstock.core.errors import MalformedChat, ProviderBroke
from penstock.model.chat import Broken, ChatRequest, End, Event, Notes
from penstock.providers.dialects import DIALECTS, ChatStreamReader, ChatStreamWriter
from penstock.wire.framing import Cutter
from penstock.wire.sse import Piece, data_of, split

_ODD = (
    *DecodeError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    MalformedChat,
)  # what comes of bytes that are no such answer
_UNREADABLE = "The provider's answer could not be read as its dialect has it, so it could not be translated."
_LONG = 1024  # characters of a provider's words
_SHORT = "The provider's answer ended before its dialect's end: it is not whole."


class Translation:
    """One call's: ``read``, ``write``, and then its answer."""

    __slots__ = ("_asked", "_client", "_lacks", "_provider", "client", "model", "provider")

    def __init__(self, client: str, provider: str, model: str, lacks: frozenset[str] = frozenset()) -> None:
        self.client = client  # names of the dialects
        self.provider = provider
        self.model = model  # for the provider
        self._lacks = lacks
        theirs, other = DIALECTS[client].client, DIALECTS[provider].provider
        assert theirs is not None
        assert other is not None
        self._client = theirs
        self._provider = other
        self._asked: ChatRequest | None = None

    def read(self, body: bytes) -> ChatRequest:
        """The client's request. Raises MalformedChat."""
        self._asked = asked = self._client.read_request(body)
        if asked.bound and self.client != self.provider:
            raise MalformedChat(asked.bound)
        return asked

    @property
    def only_bytes(self) -> frozenset[str]:
        """Kinds of media that the provider does not take by URL."""
        return self._provider.only_bytes

    def write(self, *, stream: bool, ask_usage: bool) -> tuple[bytes, Sequence[str]]:
        """The request in the provider's dialect, and what it has no place for. Raises MalformedChat.

        ``ask_usage``: a stream of the provider may be asked for its usage.
        """
        asked = self._said()
        wants = asked.stream_usage
        asked.model, asked.stream, asked.lacks = self.model, stream, self._lacks
        asked.stream_usage = True if stream and ask_usage else None
        notes = Notes()
        sent = self._provider.write_request(asked, notes)
        asked.stream_usage = wants
        return sent, notes.members

    def marks(self, *, stream: bool) -> tuple[bytes, ...]:
        """What the answer depends on beside the body: a client may name model and stream in its path."""
        return self.client.encode(), self.model.encode(), b"stream" if stream else b""

    def answer(self, body: bytes) -> bytes:
        """A whole answer in the client's dialect. Raises ProviderBroke for what is none."""
        try:
            answer = self._provider.read_answer(body)
        except _ODD as error:
            raise ProviderBroke(self._why(body)) from error
        return self._client.write_answer(answer, self._said())

    def failure(self, status: int, body: bytes) -> bytes:
        """An error's body in the client's dialect."""
        return self._client.write_failure(status, self._provider.read_failure(body))

    def stream(self, cutter: Cutter) -> "Streamed":
        """What translates a streamed answer."""
        return Streamed(self._provider.reader(), self._client.writer(self._said()), cutter)

    def _why(self, body: bytes) -> str:
        """An error in an answer with a status of success, in the provider's words; else that it is no answer."""
        if b'"error"' not in body[:_LONG]:
            return _UNREADABLE
        return f"The provider answered with an error: {self._provider.read_failure(body).message[:_LONG]}"

    def _said(self) -> ChatRequest:
        assert self._asked is not None
        return self._asked


class Streamed:
    """A stage that turns a provider's stream into the client's. What is not whole ends with ProviderBroke."""

    __slots__ = ("_cutter", "_ended", "_reader", "_writer")

    def __init__(self, reader: ChatStreamReader, writer: ChatStreamWriter, cutter: Cutter) -> None:
        self._reader = reader
        self._writer = writer
        self._cutter = cutter
        self._ended = False

    def feed(self, data: bytes) -> bytes:
        """Takes a frame; returns the events that it makes for the client. Raises ProviderBroke."""
        return self._told(self._cutter.feed(data))

    def end(self) -> bytes:
        """The stream has ended. Raises ProviderBroke where its dialect's end is missing."""
        rest = self._told([self._cutter.rest()])
        told = [rest]
        if not self._ended:
            self._say(self._reader.end(), told)
        if not self._ended:
            raise ProviderBroke(_SHORT)
        return b"".join(told)

    def _told(self, blocks: list[bytes]) -> bytes:
        told: list[bytes] = []
        for block in blocks:
            if type(block) is Piece:
                raise ProviderBroke(
                    "The provider sent an event that is too large, or damaged, so it could not be translated."
                )
            for event in split(block):
                if data := data_of(event):
                    self._say(self._events(data), told)
        return b"".join(told)

    def _events(self, data: bytes) -> list[Event]:
        try:
            return self._reader.data(data)
        except _ODD as error:
            raise ProviderBroke(_UNREADABLE) from error

    def _say(self, events: list[Event], told: list[bytes]) -> None:
        for event in events:
            if self._ended:  # a provider that goes on after its end says nothing
                return
            told.append(self._writer.event(event))
            if type(event) is End:
                self._ended = True
            elif type(event) is Broken:
                raise ProviderBroke(f"The provider could not go on: {event.failure.message}", told=b"".join(told))
