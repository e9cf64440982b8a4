"""``system`` and ``messages`` of a request of Converse."""

from penstock.model.chat import Notes, Part, Result, Turn
from penstock.providers.dialects.bedrock_converse.chat.words import Json
from penstock.providers.dialects.bedrock_converse.chat.write_blocks import Blocks

_SYSTEM = ("system", "developer")


def messages_of(turns: list[Turn], blocks: Blocks, notes: Notes) -> tuple[list[Json], list[Json]]:
    """System prompts from anywhere, then turns of two roles, each joined with its like.

    A conversation of system prompts alone becomes one of the user, since there has to be a message.
    """
    system = blocks.of([part for turn in turns if turn.role in _SYSTEM for part in turn.content])
    messages: list[Json] = []
    for role, parts in _joined([turn for turn in turns if turn.role not in _SYSTEM], notes):
        if role == "assistant":
            content = blocks.of([part for part in parts if _said(part, notes)])
        else:
            content = _beside_documents(blocks.of(sorted(parts, key=_after_results)))
        if content and messages and messages[-1]["role"] == role:
            messages[-1]["content"] += content
        elif content:
            messages.append({"role": role, "content": content})
    return (system, messages) if messages else ([], [{"role": "user", "content": system}])


def has_tools(messages: list[Json]) -> bool:
    """Whether a tool was called: then tools have to be told."""
    return any("toolUse" in block or "toolResult" in block for message in messages for block in message["content"])


def thought(messages: list[Json]) -> bool:
    """Whether Claude's thinking may be on: a turn that called tools must begin with the thinking that led to it."""
    if len(messages) < 2 or "toolResult" not in messages[-1]["content"][0]:  # noqa: PLR2004
        return True
    return "reasoningContent" in messages[-2]["content"][0]


def _joined(turns: list[Turn], notes: Notes) -> list[tuple[str, list[Part]]]:
    joined: list[tuple[str, list[Part]]] = []
    for turn in turns:
        if turn.name:
            notes.lost("messages[].name")
        notes.lost_of(turn.extra, "messages[]")
        role = "assistant" if turn.role == "assistant" else "user"
        if joined and joined[-1][0] == role:
            joined[-1][1].extend(turn.content)
        else:
            joined.append((role, [*turn.content]))
    return joined


def _after_results(part: Part) -> bool:
    return type(part) is not Result


def _said(part: Part, notes: Notes) -> bool:
    """Whether an assistant may have said it."""
    kind = getattr(part, "kind", "")
    if kind:
        notes.lost(f"messages[].content[{kind}]")
    return not kind


def _beside_documents(content: list[Json]) -> list[Json]:
    """A message with a document has to have a text."""
    document = next((block["document"] for block in content if "document" in block), None)
    if document is None or any("text" in block for block in content):
        return content
    return [*content, {"text": document["name"]}]
