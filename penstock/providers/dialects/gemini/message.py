"""The content that the answers of a stored stream of Gemini make together: that of the first candidate."""

from typing import Any

from penstock.providers.dialects._shapes.message import Members, Texts, take_each

_MEMBER = b'"candidates"'  # of each answer
_TEXT = {"text", "thought"}  # members of a part that the next one like it continues


def message(chunks: list[bytes]) -> Members | None:
    """``chunks``: the data of each event. None: this is no such stream."""
    if not any(_MEMBER in chunk for chunk in chunks):
        return None
    made = _Content()
    take_each(chunks, made.take)
    return made.whole()


class _Content:
    def __init__(self) -> None:
        self._members: Members = {}
        self._parts: list[Texts] = []

    def take(self, chunk: Any) -> None:
        for candidate in chunk.get("candidates") or ():
            if candidate.get("index", 0) == 0:
                if reason := candidate.get("finishReason"):
                    self._members["finishReason"] = reason
                content: Members = candidate.get("content") or {}
                self._members |= {name: value for name, value in content.items() if name != "parts"}
                for part in content.get("parts") or ():
                    self._put(part)

    def whole(self) -> Members | None:
        members = self._members | {"parts": [part.joined() for part in self._parts]}
        return members if self._members or self._parts else None

    def _put(self, part: Members) -> None:
        last = self._parts[-1] if self._parts else Texts()
        if (
            "text" in last
            and part.keys() <= _TEXT
            and last.keys() <= _TEXT
            and last.get("thought") == part.get("thought")
        ):
            last.grow("text", part.get("text", ""))
        else:
            self._parts.append(Texts(part))
