"""The message that the events of a stored stream of Converse make together."""

from typing import Any

from penstock.core.codec import verbatim
from penstock.providers.dialects._shapes.message import Members, Texts, take_each

_START = b'"messageStart"'  # the type of the first event
_REASONING = ("text", "signature", "redactedContent")  # pieces of a block of it
PIECES = (
    ("output.message.content[*]", "contentBlockStart.start"),
    ("output.message.content[*]", "contentBlockDelta.delta"),
    ("output.message.content[*].reasoningContent.reasoningText", "contentBlockDelta.delta.reasoningContent"),
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
        self._blocks: dict[int, tuple[Members, Texts]] = {}  # each block, and what grows in it

    def take(self, event: Any) -> None:
        match event:
            case {"messageStart": {"role": role}} if self._message is None:
                self._message = {"role": role}
            case {"contentBlockStart": {"contentBlockIndex": int(index), "start": {"toolUse": {**tool}}}}:
                self._block(index)[0]["toolUse"] = tool
            case {"contentBlockDelta": {"contentBlockIndex": int(index), "delta": {**delta}}}:
                self._grow(index, delta)
            case {"messageStop": {"stopReason": reason}} if self._message is not None:
                self._message["stopReason"] = reason
            case _:
                pass

    def _block(self, index: int) -> tuple[Members, Texts]:
        return self._blocks.setdefault(index, ({}, Texts()))

    def _grow(self, index: int, delta: Members) -> None:
        block, texts = self._block(index)
        match delta:
            case {"text": str(text)}:
                texts.grow("text", text)
            case {"toolUse": {"input": str(text)}}:
                texts.grow("input", text)
            case {"reasoningContent": {**parts}}:
                block.setdefault("reasoningContent", {})
                for name in _REASONING:
                    if name in parts:
                        texts.grow(name, str(parts[name]))
            case _:
                block |= delta

    def whole(self) -> Members | None:
        if self._message is None:
            return None
        return self._message | {"content": [_whole(block, texts.joined()) for block, texts in self._blocks.values()]}


def _whole(block: Members, texts: Members) -> Members:
    if "toolUse" in block:
        given = verbatim(str(texts.get("input") or "{}").encode("utf-8", "replace"))
        return {"toolUse": block["toolUse"] | {"input": given}}
    if "reasoningContent" in block:
        return {"reasoningContent": {"reasoningText": texts}}
    return block | texts
