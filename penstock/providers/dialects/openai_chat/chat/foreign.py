"""Turns of another dialect, as OpenAI chat takes them."""

from msgspec.structs import replace

from penstock.model.chat import Native, Part, Result, Turn


def turns_from(turns: list[Turn]) -> list[Turn]:
    """Without what only the other dialect has.

    Turns of the assistant that follow each other are one message here: its calls stand together, before their results.
    """
    made: list[Turn] = []
    for turn in turns:
        content = [_plain(part) for part in turn.content]
        if turn.role == "assistant" and made and made[-1].role == "assistant":
            made[-1] = Turn("assistant", [*made[-1].content, *content], made[-1].name)
        else:
            made.append(Turn(turn.role, content, turn.name))
    return made


def _plain(part: Part) -> Part:
    if isinstance(part, Native):
        return part
    if isinstance(part, Result):
        return replace(part, content=[_plain(one) for one in part.content], extra=None)
    return part if part.extra is None else replace(part, extra=None)
