"""The message that the events of a stored stream of Anthropic messages make together."""

from typing import Any

from penstock.core.codec import verbatim
from penstock.providers.dialects._shapes.message import Members, Texts, take_each

_START = b'"message_start"'  # the type of the first event
_TEXTS = ("text", "thinking", "signature", "partial_json")  # pieces of a block
PIECES = (
    ("", "message"),
    ("content[*]", "content_block"),
    ("content[*]", "delta"),
    ("content[*].input", "delta.partial_json"),
    ("content[*].citations[*]", "delta.citation"),
)


def message(chunks: list[bytes]) -> Members | None:
    """``chunks``: the data of each event. None: this is no such stream."""
    if not any(_START in chunk for chunk in chunks):
        return None
    made = _Message()
    take_each(chunks, made.take)
    return made.whole()


class _Message:
    def __init__(self) -> None:
        self._message: Members | None = None
        self._blocks: dict[int, Texts] = {}

    def take(self, event: Any) -> None:
        match event.get("type"):
            case "message_start" if self._message is None:
                self._message = dict(event["message"])
            case "content_block_start":
                self._blocks[event["index"]] = Texts(event["content_block"])
            case "content_block_delta":
                block, delta = self._blocks[event["index"]], event["delta"]
                for name in _TEXTS:
                    if name in delta:
                        block.grow(name, str(delta[name]))
            case "message_delta" if self._message is not None:
                self._message |= event["delta"]
            case _:
                pass

    def whole(self) -> Members | None:
        if self._message is None:
            return None
        blocks = [block.joined() for block in self._blocks.values()]
        for block in blocks:
            if (text := block.pop("partial_json", None)) is not None:
                block["input"] = verbatim(str(text).encode("utf-8", "replace"))
        return self._message | {"content": blocks}
