"""OpenAI responses."""

from typing import Any

from penstock.core.codec import DecodeError, Raw, Struct, decoder, encode
from penstock.core.errors import PenstockError
from penstock.model.usage import Asked, Reported
from penstock.providers.dialects import _shapes
from penstock.providers.dialects._shapes import NOTHING, name, openai_usage, present, service_tier
from penstock.wire.sse import data_of


class _Answer(Struct):
    model: Any = ""
    usage: Raw = NOTHING
    error: Raw = NOTHING
    service_tier: Any = ""


class _Event(Struct):
    type: Any = ""
    response: _Answer | None = None
    error: Raw = NOTHING


_ENDS = ("response.completed", "response.incomplete", "response.failed")

_decode_answer = decoder(_Answer).decode
_decode_event = decoder(_Event).decode


class OpenAIResponses:
    """The dialect. Its streams always report usage, in the event that ends them."""

    name = "openai_responses"
    asks = False

    def asked(self, body: bytes) -> Asked:
        """What a request body asks for."""
        return _shapes.asked(body, always=True)

    def reported(self, body: bytes) -> Reported:
        """What a complete, decoded answer says of itself."""
        try:
            return _reported(_decode_answer(body))
        except DecodeError:
            return Reported("", None)

    def reader(self) -> "OpenAIResponsesReader":
        """A reader for one streamed answer."""
        return OpenAIResponsesReader()

    def ask_usage(self, body: bytes) -> bytes | None:
        """Nothing to ask."""
        return None

    def error_frame(self, error: PenstockError) -> bytes:
        """The frame that tells the client of a stream that it broke; complete with its blank line.

        Its sequence number is 0, as that of the last event sent is not known here.
        """
        told = {"type": "error", "code": str(error.code), "message": error.message, "param": None, "sequence_number": 0}
        return b"event: error\ndata: " + encode(told) + b"\n\n"


class OpenAIResponsesReader:
    """The first event names the model, the last (completed, incomplete, failed) carries the usage."""

    __slots__ = ("_answer", "_ended", "_error")

    def __init__(self) -> None:
        self._answer: _Answer | None = None
        self._error = False
        self._ended = False

    def dull(self, data: bytes) -> bool:
        """Whether ``data`` holds pieces of the answer alone."""
        return b'"response"' not in data and b'"error"' not in data

    def event(self, data: bytes) -> None:
        """Takes one SSE event, with or without its blank line. Never raises."""
        if self.dull(data):
            return
        try:
            event = _decode_event(data_of(data))
        except DecodeError:
            return
        if event.response is not None:
            self._answer = event.response
        self._ended = self._ended or event.type in _ENDS
        self._error = self._error or event.type in ("error", "response.failed") or present(event.error)

    def reported(self) -> Reported:
        """What the stream has said of itself so far."""
        if self._answer is None:
            return Reported("", None, self._error, complete=self._ended)
        return _reported(self._answer, error=self._error, complete=self._ended)


def _reported(answer: _Answer, *, error: bool = False, complete: bool = True) -> Reported:
    usage, tier = openai_usage(bytes(answer.usage)), service_tier(answer.service_tier)
    return Reported(name(answer.model), usage, error or present(answer.error), tier, complete)
