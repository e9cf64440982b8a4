"""The message that the chunks of a stored chat make together: that of the first choice."""

from typing import Any

from penstock.providers.dialects._shapes.message import Members, Texts, take_each

_MEMBER = b'"choices"'  # of each chunk
_CALLS = 128  # calls of tools: more than any answer makes
PIECES = (("choices[*].message", "choices[*].delta"),)


def message(chunks: list[bytes]) -> Members | None:
    """``chunks``: the data of each event. None: this is no such stream."""
    if not any(_MEMBER in chunk for chunk in chunks):
        return None
    made = _Message()
    take_each(chunks, made.take)
    return made.whole()


class _Message:
    def __init__(self) -> None:
        self._message = Texts()
        self._calls: list[tuple[Members, Texts]] = []  # each call, and its function

    def take(self, chunk: Any) -> None:
        for choice in chunk.get("choices") or ():
            if choice.get("index", 0) == 0:
                self._merge(choice.get("delta") or {})

    def whole(self) -> Members | None:
        message = self._message.joined()
        if self._calls:
            message["tool_calls"] = [call | {"function": function.joined()} for call, function in self._calls]
        return message or None

    def _merge(self, delta: Members) -> None:
        """Texts are joined; tool calls are told apart by their index."""
        for name, value in delta.items():
            if name == "tool_calls" and value:
                for call in value:
                    self._call(call)
            else:
                _put(self._message, name, value)

    def _call(self, told: Members) -> None:
        while len(self._calls) <= told["index"] < _CALLS:
            self._calls.append((Members(), Texts()))
        at: int = told["index"]
        call, function = self._calls[at]
        call |= {key: part for key, part in told.items() if key not in ("index", "function")}
        given: Members = told.get("function") or {}
        for name, value in given.items():
            _put(function, name, value)


def _put(into: Texts, name: str, value: Any) -> None:
    if isinstance(value, str) and name not in ("role", "name"):
        into.grow(name, value)
    elif name not in into or value is not None:
        into[name] = value
