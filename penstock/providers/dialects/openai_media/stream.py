"""A stream of images or of a transcription, read event by event."""

from penstock.model.usage import Reported
from penstock.providers.dialects._shapes.bodies import read
from penstock.providers.dialects._shapes.events import is_error_event, pieces
from penstock.providers.dialects._shapes.values import name, present, usage_of
from penstock.providers.dialects.openai_media.shapes import MEMBERS, decode_answer

_ENDS = (".completed", ".done")  # types of the last event: of an image, and of a transcript


class Reader:
    """The last event carries the usage. Before it come parts of the transcript, or images that are not finished."""

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told = Reported(complete=False)

    def dull(self, data: bytes) -> bool:
        """Whether ``data`` holds pieces of the answer alone."""
        return b'"usage"' not in data and b"error" not in data and b'.completed"' not in data and b'.done"' not in data

    def event(self, data: bytes) -> None:
        """Takes one SSE event, with or without its blank line. Never raises."""
        if self.dull(data):
            return
        told = self._told
        told.error = told.error or is_error_event(data)
        for piece in pieces(data):
            if (answer := read(piece, decode_answer, MEMBERS)) is None:
                continue
            kind = name(answer.type)
            told.complete = told.complete or kind.endswith(_ENDS)
            told.error = told.error or kind == "error" or present(answer.error)
            told.model = name(answer.model) or told.model
            if present(answer.usage):
                told.raw, told.unread = usage_of(answer.usage)

    def reported(self) -> Reported:
        """What the stream has said of itself so far."""
        return self._told
