"""Turns of another dialect, as OpenAI chat takes them."""

from msgspec.structs import replace

from penstock.model.chat import Native, Part, Reasoning, Result, Turn


def turns_from(turns: list[Turn]) -> list[Turn]:
    """Without what only the other dialect has.

    Turns of the assistant that follow each other are one message here: its calls stand together, before their results.
    """
    made: list[Turn] = []
    for turn in turns:
        content = [plain for part in turn.content if (plain := _plain(part)) is not None]
        if turn.role == "assistant" and made and made[-1].role == "assistant":
            made[-1] = Turn("assistant", [*made[-1].content, *content], made[-1].name)
        else:
            made.append(Turn(turn.role, content, turn.name))
    return made


def _plain(part: Part) -> Part | None:
    if isinstance(part, Native):
        return part
    if isinstance(part, Result):
        content = [plain for one in part.content if (plain := _plain(one)) is not None]
        return replace(part, content=content, extra=None)
    if isinstance(part, Reasoning) and not _signed_here(part):
        return None
    return part if part.extra is None else replace(part, extra=None)


def _signed_here(part: Reasoning) -> bool:
    """Whether it is unsigned, or signed by one of those who speak OpenAI chat, which others cannot check.

    They sign as ``anthropic-claude-v1`` or ``unknown``; no other dialect has such a name.
    """
    if not (part.signature or part.sealed):
        return True
    return not part.origin or "-" in part.origin or part.origin == "unknown"
