"""A request of Bedrock's Converse, as far as it decides on the answer."""

# ruff: noqa: N815  the names that members have there

from collections.abc import Sequence
from typing import Any

from penstock.core import codec
from penstock.mock.answer import Refusal
from penstock.mock.conversation import File, Heard, Tool, file, signed

NAME = "bedrock_converse"


class Bytes(codec.Struct, frozen=True):
    bytes: str | None = None


class Held(codec.Struct):
    format: str = ""
    source: Bytes = Bytes()


class Use(codec.Struct):
    toolUseId: str = ""


class Told(codec.Struct):
    text: str | None = None
    json: Any = None


class Result(codec.Struct):
    toolUseId: str = ""
    content: list[Told] | None = None


class Thought(codec.Struct):
    text: str = ""
    signature: str | None = None


class Reasoning(codec.Struct):
    reasoningText: Thought | None = None


class Block(codec.Struct):
    text: str | None = None
    image: Held | None = None
    document: Held | None = None
    toolUse: Use | None = None
    toolResult: Result | None = None
    reasoningContent: Reasoning | None = None


class Message(codec.Struct):
    role: str
    content: list[Block]


class Schema(codec.Struct, frozen=True):
    json: Any = None


class Spec(codec.Struct):
    name: str = ""
    inputSchema: Schema = Schema()


class OfferedTool(codec.Struct):
    toolSpec: Spec | None = None


class Choice(codec.Struct):
    tool: Spec | None = None


class ToolConfig(codec.Struct):
    tools: list[OfferedTool]
    toolChoice: Choice | None = None


class Written(codec.Struct):
    schema: str = ""


class Structure(codec.Struct):
    jsonSchema: Written | None = None


class Format(codec.Struct):
    structure: Structure | None = None


class OutputConfig(codec.Struct):
    textFormat: Format | None = None


class Switch(codec.Struct, frozen=True):
    type: str = "disabled"


class Fields(codec.Struct):
    thinking: Switch = Switch()  # of Claude
    reasoningConfig: Switch = Switch()  # of Nova


class Converse(codec.Struct):
    messages: list[Message]
    system: tuple[Block, ...] = ()
    toolConfig: ToolConfig | None = None
    outputConfig: OutputConfig | None = None
    additionalModelRequestFields: Fields | None = None


read = codec.decoder(Converse).decode


def heard(given: Converse) -> Heard:
    """Raises Refusal where calls and results do not fit together, and for thinking that was not signed here."""
    _check(given)
    said = [message for message in given.messages if message.role == "user"]
    last = said[-1].content if said else []
    results = [_result(block.toolResult) for block in last if block.toolResult]
    fields = given.additionalModelRequestFields or Fields()
    return Heard(
        next((words for message in reversed(said) if (words := text(message.content))), "") if results else text(last),
        _tools(given.toolConfig) if given.toolConfig else (),
        results=results,
        schema=_schema(given),
        thinks=not fields.thinking.type == fields.reasoningConfig.type == "disabled",
        files=_files(last),
    )


def text(blocks: Sequence[Block]) -> str:
    return "".join(block.text or "" for block in blocks)


def _check(given: Converse) -> None:
    before: set[str] = set()
    for number, message in enumerate(given.messages):
        found = {block.toolResult.toolUseId for block in message.content if block.toolResult}
        if before - found:
            missing = ", ".join(before - found)
            raise Refusal(
                400, f"Expected toolResult blocks at messages.{number}.content for the following Ids: {missing}"
            )
        if found - before:
            raise Refusal(
                400,
                f"The number of toolResult blocks at messages.{number}.content exceeds the number of toolUse blocks of"
                " previous turn.",
            )
        before = {block.toolUse.toolUseId for block in message.content if block.toolUse}
        if (before or found) and given.toolConfig is None:
            raise Refusal(400, "The toolConfig field must be defined when using toolUse and toolResult content blocks.")
        for index, block in enumerate(message.content):
            thought = block.reasoningContent and block.reasoningContent.reasoningText
            if thought and not signed(NAME, thought.signature or "", thought.text):
                where = f"messages.{number}.content.{index}"
                raise Refusal(400, f"{where}: Invalid `signature` in `thinking` block")


def _result(result: Result) -> str:
    told = result.content or []
    return "".join(one.text if one.text is not None else codec.encode(one.json).decode() for one in told)


def _tools(config: ToolConfig) -> Sequence[Tool]:
    """The functions that may be called."""
    tools = [Tool(one.toolSpec.name, one.toolSpec.inputSchema.json) for one in config.tools if one.toolSpec]
    if config.toolChoice is None or config.toolChoice.tool is None:
        return tools
    wanted = config.toolChoice.tool.name
    chosen = [tool for tool in tools if tool.name == wanted]
    if not chosen:
        raise Refusal(400, f"The tool choice {wanted} is not one of the tools of toolConfig.")
    return chosen


def _schema(given: Converse) -> Any:
    form = given.outputConfig and given.outputConfig.textFormat
    told = form and form.structure and form.structure.jsonSchema
    return codec.decode(told.schema) if told else None


def _files(blocks: Sequence[Block]) -> list[File]:
    held = [(kind, one) for block in blocks for kind, one in (("image", block.image), ("application", block.document))]
    return [file(f"{kind}/{one.format}", one.source.bytes) for kind, one in held if one and one.source.bytes]
