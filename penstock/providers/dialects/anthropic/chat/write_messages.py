"""``system`` and ``messages`` of a request."""

from typing import Any

from penstock.model.chat import Notes, Part, Result, Text, Turn
from penstock.providers.dialects.anthropic.chat.write_turns import Blocks, Json

_SYSTEM = ("system", "developer")


def own_messages(turns: list[Turn], notes: Notes) -> tuple[list[Part], list[Json]]:
    """Of a request of this dialect, message by message; the parts of its system prompt."""
    blocks = Blocks(notes, own=True)
    system: list[Part] = []
    if turns and turns[0].role in _SYSTEM:
        system, turns = turns[0].content, turns[1:]
    return system, [{"role": turn.role, "content": blocks.content(turn.content)} | (turn.extra or {}) for turn in turns]


def messages_of(turns: list[Turn], notes: Notes) -> tuple[list[Part], list[Json]]:
    """Of another dialect's: system prompts from anywhere, then turns of two roles, each joined with its like.

    A conversation of system prompts alone becomes one of the user, since there has to be a message.
    """
    blocks = Blocks(notes, own=False)
    system: list[Part] = [part for turn in turns if turn.role in _SYSTEM for part in turn.content]
    messages: list[Json] = []
    for role, parts in _joined([turn for turn in turns if turn.role not in _SYSTEM], notes):
        if role == "assistant":
            told = blocks.of([part for part in parts if _said(part, notes)])
        else:
            told = blocks.of(sorted(parts, key=_after_results))
        if told and messages and messages[-1]["role"] == role:
            messages[-1]["content"] += told
        elif told:
            messages.append({"role": role, "content": told})
    if messages:
        return system, [{**message, "content": _plain(message)} for message in _ended(messages)]
    return [], [{"role": "user", "content": blocks.content(system)}]


def _joined(turns: list[Turn], notes: Notes) -> list[tuple[str, list[Part]]]:
    joined: list[tuple[str, list[Part]]] = []
    for turn in turns:
        if turn.name:
            notes.lost("messages[].name")
        for name in turn.extra or ():
            notes.lost(f"messages[].{name}")
        role = "assistant" if turn.role == "assistant" else "user"
        if joined and joined[-1][0] == role:
            joined[-1][1].extend(turn.content)
        else:
            joined.append((role, [*turn.content]))
    return joined


def _after_results(part: Part) -> bool:
    return type(part) is not Result


def _said(part: Part, notes: Notes) -> bool:
    """Whether an assistant may have said it: Claude has no images or sounds of its own."""
    kind = getattr(part, "kind", "")
    if kind:
        notes.lost(f"messages[].content[{kind}]")
    return not kind


def _ended(messages: list[Json]) -> list[Json]:
    """White space at the end of what the assistant has begun to say is refused."""
    last = messages[-1]
    if last["role"] == "assistant" and (block := last["content"][-1])["type"] == "text":
        block["text"] = block["text"].rstrip()
    return messages


def _plain(message: Json) -> Any:
    content: list[Json] = message["content"]
    return content[0]["text"] if len(content) == 1 and content[0].keys() == {"type", "text"} else content


def asked_for(system: list[Part], words: list[str]) -> list[Part]:
    """The system prompt with what only words can ask for."""
    return [*system, *[Text(one) for one in words]]
