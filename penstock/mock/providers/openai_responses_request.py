"""A request for a response, as far as it decides on the answer."""

from collections.abc import Sequence
from typing import Any

from penstock.core import codec
from penstock.mock.answer import Refusal
from penstock.mock.conversation import File, Heard, Tool, inline, signed

NAME = "openai_responses"
_OBJECT = {"type": "object"}
_OUTPUT = "_call_output"


class Part(codec.Struct):
    text: str | None = None
    image_url: str | None = None
    file_data: str | None = None


class Item(codec.Struct):
    role: str | None = None
    content: str | list[Part] | None = None
    type: str = "message"
    id: str | None = None
    call_id: str = ""
    output: Any = None
    encrypted_content: str | None = None


class OfferedTool(codec.Struct):
    type: str = "function"
    name: str = ""
    parameters: Any = None


class Choice(codec.Struct):
    type: str = "function"
    name: str = ""


class Format(codec.Struct):
    type: str = "text"
    schema: Any = None


class Text(codec.Struct):
    format: Format | None = None


class Reasoning(codec.Struct):
    effort: str | None = None
    summary: str | None = None


class Responses(codec.Struct):
    model: str
    input: str | list[Item] = ""
    instructions: str | None = None
    stream: bool | None = None
    tools: list[OfferedTool] | None = None
    tool_choice: str | Choice | None = None
    parallel_tool_calls: bool | None = None
    text: Text | None = None
    reasoning: Reasoning | None = None
    include: list[str] | None = None
    previous_response_id: str | None = None

    @property
    def items(self) -> list[Item]:
        return [Item("user", self.input)] if isinstance(self.input, str) else self.input


read = codec.decoder(Responses).decode


def heard(given: Responses) -> Heard:
    """Raises Refusal where calls and results do not fit together, and for reasoning that was not encrypted here."""
    _check(given)
    said = [item for item in given.items if item.role == "user"]
    asked = given.reasoning or Reasoning()
    return Heard(
        text(said[-1]) if said else "",
        _tools(given),
        parallel=given.parallel_tool_calls is not False,
        results=_results(given.items),
        schema=_schema(given.text.format) if given.text and given.text.format else None,
        thinks=bool(asked.summary or asked.effort not in (None, "none")),
        files=_files(said[-1]) if said else (),
    )


def text(item: Item) -> str:
    if isinstance(item.content, list):
        return "".join(part.text or "" for part in item.content)
    return item.content or ""


def _check(given: Responses) -> None:
    called: set[str] = set()
    answered: set[str] = set()
    for item in given.items:
        if item.type in ("function_call", "custom_tool_call"):
            called.add(item.call_id)
        elif item.type.endswith(_OUTPUT):
            if item.call_id not in called and given.previous_response_id is None:
                raise Refusal(400, f"No tool call found for function call output with call_id {item.call_id}.")
            answered.add(item.call_id)
        elif item.type == "reasoning" and item.encrypted_content and not signed(NAME, item.encrypted_content):
            raise Refusal(400, f"The encrypted content for item {item.id} could not be verified.")
    if called - answered:
        raise Refusal(400, f"No tool output found for function call {', '.join(called - answered)}.")


def _results(items: Sequence[Item]) -> list[str]:
    results: list[str] = []
    for item in reversed(items):
        if not item.type.endswith(_OUTPUT):
            break
        results.append(item.output if isinstance(item.output, str) else codec.encode(item.output).decode())
    return results[::-1]


def _tools(given: Responses) -> Sequence[Tool]:
    """The functions that may be called."""
    tools = [Tool(tool.name, tool.parameters) for tool in given.tools or () if tool.type == "function"]
    choice = given.tool_choice
    if choice == "none":
        return ()
    if isinstance(choice, Choice) and choice.type == "function":
        tools = [tool for tool in tools if tool.name == choice.name]
        if not tools:
            raise Refusal(400, f"Tool choice '{choice.name}' not found in 'tools' parameter.")
    return tools


def _schema(form: Format) -> Any:
    if form.type == "json_schema":
        return form.schema or _OBJECT
    return _OBJECT if form.type == "json_object" else None


def _files(item: Item) -> list[File]:
    held = item.content if isinstance(item.content, list) else []
    found = [inline(part.image_url or part.file_data or "") for part in held]
    return [one for one in found if one]
