"""A request for a chat completion, as far as it decides on the answer."""

from collections.abc import Sequence
from typing import Any

from penstock.core import codec
from penstock.mock.answer import Refusal
from penstock.mock.conversation import File, Heard, Tool, inline

OBJECT = {"type": "object"}


class Url(codec.Struct):
    url: str = ""


class Held(codec.Struct):
    file_data: str | None = None


class Part(codec.Struct):
    text: str | None = None
    image_url: Url | str | None = None
    file: Held | None = None


class ToolCall(codec.Struct):
    id: str = ""


class Message(codec.Struct):
    role: str
    content: str | list[Part] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None


class StreamOptions(codec.Struct):
    include_usage: bool | None = None


class Function(codec.Struct):
    name: str = ""
    parameters: Any = None


class OfferedTool(codec.Struct):
    type: str = "function"
    function: Function | None = None


class Choice(codec.Struct):
    type: str = "function"
    function: Function | None = None


class JsonSchema(codec.Struct):
    schema: Any = None


class Format(codec.Struct):
    type: str = "text"
    json_schema: JsonSchema | None = None


class Chat(codec.Struct):
    model: str
    messages: list[Message]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    tools: list[OfferedTool] | None = None
    tool_choice: str | Choice | None = None
    parallel_tool_calls: bool | None = None
    response_format: Format | None = None


read = codec.decoder(Chat).decode


def heard(given: Chat) -> Heard:
    """Raises Refusal where calls and results do not fit together."""
    _check_pairs(given.messages)
    said = [message for message in given.messages if message.role == "user"]
    tools, named = _tools(given)
    return Heard(
        text(said[-1]) if said else "",
        tools,
        named,
        given.parallel_tool_calls is not False,
        _results(given.messages),
        None if given.response_format is None else _schema(given.response_format),
        files=_files(said[-1]) if said else (),
    )


def text(message: Message) -> str:
    if isinstance(message.content, list):
        return "".join(part.text or "" for part in message.content)
    return message.content or ""


def _check_pairs(messages: Sequence[Message]) -> None:
    """Each call has a result, in the messages right after it, and each result a call."""
    open_calls: set[str] = set()
    for message in messages:
        if message.role == "tool":
            if message.tool_call_id not in open_calls:
                raise Refusal(
                    400, "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
                )
            open_calls.discard(message.tool_call_id)
            continue
        if open_calls:
            raise _unanswered(open_calls)
        if message.tool_calls:
            open_calls = {call.id for call in message.tool_calls}
    if open_calls:
        raise _unanswered(open_calls)


def _unanswered(calls: set[str]) -> Refusal:
    return Refusal(
        400,
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each"
        f" 'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(calls)}",
    )


def _results(messages: Sequence[Message]) -> Sequence[str]:
    results: list[str] = []
    for message in reversed(messages):
        if message.role != "tool":
            break
        results.append(text(message))
    return results[::-1]


def _tools(given: Chat) -> tuple[Sequence[Tool], bool]:
    """The functions that may be called, and whether it is one by its name."""
    choice = given.tool_choice
    if choice == "none" or (given.tools is None and choice is None):
        return (), False
    tools = [Tool(tool.function.name, tool.function.parameters) for tool in given.tools or () if tool.function]
    if isinstance(choice, Choice) and choice.function:
        wanted = choice.function.name
        chosen = [tool for tool in tools if tool.name == wanted]
        if not chosen:
            raise Refusal(400, f"Tool choice '{wanted}' not found in 'tools' parameter.")
        return chosen, True
    return tools, False


def _schema(form: Format) -> Any:
    if form.type == "json_schema" and form.json_schema:
        return form.json_schema.schema or OBJECT
    return OBJECT if form.type == "json_object" else None


def _files(message: Message) -> Sequence[File]:
    if not isinstance(message.content, list):
        return ()
    found: list[File | None] = []
    for part in message.content:
        if part.image_url is not None:
            found.append(inline(part.image_url if isinstance(part.image_url, str) else part.image_url.url))
        if part.file is not None and part.file.file_data:
            found.append(inline(part.file.file_data))
    return [one for one in found if one]
