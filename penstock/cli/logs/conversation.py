"""What was said in a call, as lines of text."""

from penstock.control.logs import conversation
from penstock.model.chat import Call, Media, Part, Reasoning, Refusal, Result, Text

Said = tuple[str, str]  # a role, and what it said


def asked(path: str, body: bytes) -> list[Said]:
    """The turns of a request; none where it is no chat. ``path``: where it went, which tells the likely dialect."""
    request = conversation.asked(path, body)
    return [(turn.role, _joined(turn.content)) for turn in request.turns] if request is not None else []


def answered(path: str, body: bytes, kind: str | None) -> list[Said]:
    """The answers; none where they cannot be read. ``kind``: their content type."""
    found = conversation.answered(path, body, kind)
    return [("assistant", said) for parts in found if (said := _joined(parts))]


def _joined(parts: list[Part]) -> str:
    return "\n".join(filter(None, map(_text, parts)))


def _text(part: Part) -> str:
    match part:
        case Text() | Refusal():
            return part.text
        case Reasoning():
            return f"(thinks) {part.text}" if part.text else ""
        case Call():
            return f"(calls {part.name}) {part.arguments}"
        case Result():
            return f"(result{' of ' + part.name if part.name else ''}) {_joined(part.content)}"
        case Media():
            return f"({part.kind}{' ' + part.type if part.type else ''})"
        case _:
            return f"({part.kind})"
