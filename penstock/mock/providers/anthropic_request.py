"""A request for an Anthropic message, as far as it decides on the answer."""

from collections.abc import Sequence
from typing import Any

from penstock.core import codec
from penstock.mock.answer import Refusal
from penstock.mock.conversation import File, Heard, Tool, file, signed

NAME = "anthropic"
_THOUGHT = ("thinking", "redacted_thinking")
_LEAST_BUDGET = 1024


class Source(codec.Struct):
    media_type: str | None = None
    data: str | None = None


class Part(codec.Struct):
    type: str = "text"
    text: str | None = None
    source: Source | str | None = None
    id: str = ""
    tool_use_id: str = ""
    content: "str | list[Part] | None" = None
    thinking: str = ""
    signature: str = ""


class Message(codec.Struct):
    role: str
    content: str | list[Part]


class Prompt(codec.Struct):
    model: str
    messages: list[Message]
    system: str | list[Part] | None = None


class OfferedTool(codec.Struct):
    name: str = ""
    input_schema: Any = None


class Choice(codec.Struct):
    type: str = "auto"
    name: str = ""
    disable_parallel_tool_use: bool | None = None


class Thinking(codec.Struct):
    type: str
    budget_tokens: int | None = None
    display: str | None = None


class Format(codec.Struct):
    schema: Any = None


class Config(codec.Struct):
    format: Format | None = None


class Messages(Prompt):
    max_tokens: int = 0
    stream: bool | None = None
    tools: list[OfferedTool] | None = None
    tool_choice: Choice | None = None
    thinking: Thinking | None = None
    output_config: Config | None = None


read = codec.decoder(Messages).decode


def heard(given: Messages) -> Heard:
    """Raises Refusal for what Claude's API refuses of tools and thinking."""
    _check_pairs(given.messages)
    _check_thinking(given)
    said = [message for message in given.messages if message.role == "user"]
    choice = given.tool_choice or Choice()
    last = parts(said[-1].content) if said else []
    form = given.output_config.format if given.output_config else None
    return Heard(
        next(filter(None, (text(message.content) for message in reversed(said))), "") if _results(last) else text(last),
        _tools(given, choice),
        parallel=not choice.disable_parallel_tool_use,
        results=_results(last),
        schema=form.schema if form else None,
        thinks=given.thinking is not None and given.thinking.type != "disabled",
        files=_files(last),
    )


def text(content: str | Sequence[Part] | None) -> str:
    return content if isinstance(content, str) else "".join(part.text or "" for part in content or ())


def parts(content: str | list[Part]) -> list[Part]:
    return [Part(text=content)] if isinstance(content, str) else content


def _check_pairs(messages: Sequence[Message]) -> None:
    """Each call has a result in the message after it, and each result a call in the message before it."""
    before: set[str] = set()
    for number, message in enumerate(messages):
        found = {part.tool_use_id for part in parts(message.content) if part.type == "tool_result"}
        if before - found:
            raise Refusal(
                400,
                f"messages.{number - 1}: `tool_use` ids were found without `tool_result` blocks immediately after:"
                f" {', '.join(before - found)}. Each `tool_use` block must have a corresponding `tool_result` block in"
                " the next message.",
            )
        if found - before:
            raise Refusal(
                400,
                f"messages.{number}: unexpected `tool_use_id` found in `tool_result` blocks:"
                f" {', '.join(found - before)}. Each `tool_result` block must have a corresponding `tool_use` block in"
                " the previous message.",
            )
        before = {part.id for part in parts(message.content) if part.type == "tool_use"}


def _check_thinking(given: Messages) -> None:
    for number, message in enumerate(given.messages):
        for index, part in enumerate(parts(message.content)):
            if part.type == "thinking" and not signed(NAME, part.signature, part.thinking):
                where = f"messages.{number}.content.{index}"
                raise Refusal(400, f"{where}: Invalid `signature` in `thinking` block")
    if given.thinking is None or given.thinking.type != "enabled":
        return
    budget = given.thinking.budget_tokens or 0
    if budget < _LEAST_BUDGET:
        raise Refusal(400, "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
    if budget >= given.max_tokens:
        raise Refusal(400, "`max_tokens` must be greater than `thinking.budget_tokens`.")
    if given.tool_choice and given.tool_choice.type in ("any", "tool"):
        raise Refusal(400, "Thinking may not be enabled when tool_choice forces tool use.")
    turns = [parts(one.content) for one in given.messages if one.role == "assistant"]
    called = any(part.type == "tool_result" for part in parts(given.messages[-1].content))
    if called and turns[-1][0].type not in _THOUGHT:
        raise Refusal(
            400,
            f"messages.{len(given.messages) - 2}.content.0.type: Expected `thinking` or `redacted_thinking`, but found"
            f" `{turns[-1][0].type}`. When `thinking` is enabled, a final `assistant` message must start with a"
            " thinking block.",
        )


def _results(last: Sequence[Part]) -> list[str]:
    return [text(part.content) for part in last if part.type == "tool_result"]


def _tools(given: Messages, choice: Choice) -> Sequence[Tool]:
    """The functions that may be called; Anthropic's own tools have no schema."""
    tools = [Tool(tool.name, tool.input_schema) for tool in given.tools or () if tool.input_schema is not None]
    if choice.type == "none":
        return ()
    if choice.type != "tool":
        return tools
    chosen = [tool for tool in tools if tool.name == choice.name]
    if not chosen:
        raise Refusal(400, f"tool_choice.tool: Tool '{choice.name}' not found in provided tools")
    return chosen


def _files(last: Sequence[Part]) -> list[File]:
    sources = [part.source for part in last if isinstance(part.source, Source)]
    return [file(one.media_type, one.data) for one in sources if one.media_type and one.data]
