"""A stream of an invoked model, read event by event: its usage, and whether it is whole.

Its events are the model's own, as they were before Bedrock encoded them.
"""

from penstock.core.codec import Raw
from penstock.model.usage import Reported
from penstock.providers.dialects._facets import StreamReader
from penstock.providers.dialects._shapes.bodies import read
from penstock.providers.dialects._shapes.events import is_error_event, pieces
from penstock.providers.dialects._shapes.values import is_object, name, present, usage_of
from penstock.providers.dialects.bedrock_invoke.shapes import decode_answer, decode_metadata
from penstock.providers.dialects.bedrock_invoke.usage import UNKNOWN, is_error

_METRICS = b'"amazon-bedrock-invocationMetrics"'


class Reader:
    """The last event has the counts, whoever made the stream. What a model says of itself in more detail goes first:
    Claude in its first event and its last, others in the last.
    """

    __slots__ = ("_claude", "_error", "_metrics", "_usage")

    def __init__(self, claude: StreamReader) -> None:
        self._claude = claude
        self._error = False
        self._usage = self._metrics = Reported()

    def dull(self, data: bytes) -> bool:
        """Whether ``data`` holds pieces of the answer alone."""
        return _METRICS not in data and b'"usage"' not in data and b"error" not in data and self._claude.dull(data)

    def event(self, data: bytes) -> None:
        """Takes one event. Never raises."""
        self._claude.event(data)
        self._error = self._error or is_error_event(data)
        for piece in pieces(data):
            if (event := read(piece, decode_answer, ())) is None:
                continue
            self._error = self._error or is_error(event)
            usage = event.usage
            if is_object(event.metadata) and (metadata := read(bytes(event.metadata), decode_metadata, ())) is not None:
                usage = metadata.usage
            if present(usage) and not name(event.type):
                self._usage = _said(usage)
            if is_object(event.metrics):
                self._metrics = _said(event.metrics)

    def reported(self) -> Reported:
        """What the stream has said of itself so far."""
        claude = self._claude.reported()
        told = next((one for one in (claude, self._usage, self._metrics) if one.raw), None)
        return Reported(
            "",  # a path names it with its region
            told.raw if told else b"",
            self._error or claude.error,
            complete=claude.complete or bool(self._metrics.raw),
            growing=claude.growing and not self._metrics.raw,
            unread="" if told else (claude.unread or self._usage.unread or UNKNOWN),
        )


def _said(usage: Raw) -> Reported:
    raw, unread = usage_of(usage)
    return Reported(raw=raw, unread=unread)
