"""Events of a stream of OpenAI responses, numbered, and the output that they make item by item."""

from typing import Any

from penstock.core.codec import encode
from penstock.providers.dialects.openai_responses.chat.write_items import carrier, message, new_id

Json = dict[str, Any]


class Output:
    """The events that are not sent yet, and the items; one that is not whole is None."""

    __slots__ = ("_message", "_number", "_out", "items")

    def __init__(self) -> None:
        self.items: list[Json | None] = []
        self._message: Message | None = None  # to which texts are added
        self._number = 0  # of the next event
        self._out: list[bytes] = []

    def say(self, kind: str, **members: Any) -> None:
        """One event."""
        told = {"type": kind, "sequence_number": self._number, **members}
        self._number += 1
        self._out.append(b"event: %b\ndata: %b\n\n" % (kind.encode(), encode(told)))

    def taken(self) -> bytes:
        """The events since the last time."""
        out, self._out = self._out, []
        return b"".join(out)

    def added(self, item: Json) -> int:
        """A new item, which ends the message before it; its index."""
        self.leave()
        self.items.append(None)
        index = len(self.items) - 1
        self.say("response.output_item.added", output_index=index, item=item)
        return index

    def done(self, index: int, item: Json) -> None:
        """The item is whole."""
        self.items[index] = item
        self.say("response.output_item.done", output_index=index, item=item)

    def whole(self, item: Json) -> None:
        """An item that comes in one go."""
        self.done(self.added(item), item)

    def signed(self, signature: str, call: str = "") -> None:
        """The signature of a call, or of what was said last."""
        if signature:
            self.whole(carrier(signature, call))

    def message(self) -> "Message":
        """The one that texts are added to."""
        if self._message is None:
            made = Message(self)
            self._message = made
        return self._message

    def leave(self, status: str = "completed") -> None:
        """No more texts are added to the message."""
        left, self._message = self._message, None
        if left is not None:
            left.leave(status)


class Message:
    """A message whose parts grow; it is done when no part is added to it any more and all have ended."""

    __slots__ = ("_content", "_growing", "_left", "_output", "_status", "id", "index")

    def __init__(self, output: Output) -> None:
        self._output = output
        self._content: list[Json] = []
        self._growing = 0
        self._left = False
        self._status = "completed"
        self.id = new_id("msg")
        self.index = output.added(message(self.id, [], "in_progress"))

    def open(self, part: Json) -> int:
        """A part begins; its index."""
        self._content.append(part)
        self._growing += 1
        place = len(self._content) - 1
        self.say("response.content_part.added", place, part=part)
        return place

    def say(self, kind: str, place: int, **members: Any) -> None:
        """One event of a part."""
        self._output.say(kind, item_id=self.id, output_index=self.index, content_index=place, **members)

    def close(self, place: int, part: Json) -> None:
        """The part has ended."""
        self._content[place] = part
        self._growing -= 1
        self.say("response.content_part.done", place, part=part)
        self._done()

    def leave(self, status: str) -> None:
        """No part is added any more."""
        self._left, self._status = True, status
        self._done()

    def _done(self) -> None:
        if self._left and not self._growing:
            self._output.done(self.index, message(self.id, self._content, self._status))
