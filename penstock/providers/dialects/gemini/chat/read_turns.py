"""Contents of a request of Gemini."""

from collections import deque
from typing import Any

from penstock.core.errors import MalformedChat
from penstock.model.chat import Call, Part, Reasoning, Result, Text, Turn
from penstock.providers.dialects.gemini.chat.read_parts import parts_of
from penstock.providers.dialects.gemini.chat.spelling import Told
from penstock.providers.dialects.gemini.chat.words import MADE, NAME

_ROLES = {"": "user", "user": "user", "model": "assistant", "function": "tool", "tool": "tool"}


def system_of(value: Any) -> list[Turn]:
    """The system instruction as the first turn; also a plain text."""
    if value is None:
        return []
    parts: list[Part] = [Text(value)] if type(value) is str else parts_of(Told(value, "systemInstruction"), str)
    return [Turn("system", parts)]


def turns_of(told: Told) -> list[Turn]:
    """Calls without an id get one from their place; results without one answer the first open call of their name."""
    turns: list[Turn] = []
    open_calls: dict[str, deque[str]] = {}
    for number, content in enumerate(told.objects("contents")):
        role = _ROLES.get(content.text("role"))
        if role is None:
            raise MalformedChat(f"{content.at('role')}: must be user or model.")
        parts = parts_of(content, str)
        for place, part in enumerate(parts):
            if type(part) is Call:
                part.id = part.id or f"{MADE}{number}_{place}"
                open_calls.setdefault(part.name, deque()).append(part.id)
            elif type(part) is Result:
                _match(part, open_calls.get(part.name))
        turns.append(Turn(role, parts, extra=content.rest()))
    _join_thoughts(turns)
    return turns


def _join_thoughts(turns: list[Turn]) -> None:
    """Thinking of another provider came as a stream, in pieces of which the last has its signature: it is one again."""
    unsigned: list[tuple[Turn, Reasoning]] = []
    for turn in turns:
        for part in [*turn.content]:
            if type(part) is not Reasoning:
                unsigned.clear()
            elif not (part.signature or part.sealed):
                unsigned.append((turn, part))
            else:
                if part.origin != NAME and unsigned:
                    part.text = "".join([*[one.text for _, one in unsigned], part.text])
                    for other, piece in unsigned:
                        other.content = [one for one in other.content if one is not piece]
                unsigned.clear()


def _match(result: Result, calls: deque[str] | None) -> None:
    if not result.call:
        result.call = calls.popleft() if calls else MADE + result.name
    elif calls and result.call in calls:
        calls.remove(result.call)
