"""A request for Gemini's content, as far as it decides on the answer."""

# ruff: noqa: N815  the names that members have there

from collections.abc import Iterator, Sequence
from typing import Any, cast

from penstock.core import codec
from penstock.mock.answer import Refusal
from penstock.mock.conversation import File, Heard, Tool, file, signed

NAME = "gemini"
_OBJECT = {"type": "object"}
_UNCHECKED = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")


class Call(codec.Struct):
    name: str = ""


class Result(codec.Struct):
    name: str = ""
    response: Any = None


class Blob(codec.Struct):
    mimeType: str = ""
    data: str = ""


class Part(codec.Struct):
    text: str | None = None
    thoughtSignature: str | None = None
    functionCall: Call | None = None
    functionResponse: Result | None = None
    inlineData: Blob | None = None


class Content(codec.Struct):
    parts: tuple[Part, ...] = ()
    role: str = "user"


class Declaration(codec.Struct):
    name: str = ""
    parameters: Any = None
    parametersJsonSchema: Any = None


class OfferedTool(codec.Struct):
    functionDeclarations: tuple[Declaration, ...] = ()


class Calling(codec.Struct):
    mode: str = "AUTO"
    allowedFunctionNames: list[str] | None = None


class ToolConfig(codec.Struct):
    functionCallingConfig: Calling | None = None


class Thinking(codec.Struct):
    includeThoughts: bool | None = None


class Config(codec.Struct):
    responseMimeType: str | None = None
    responseSchema: Any = None
    responseJsonSchema: Any = None
    thinkingConfig: Thinking | None = None


class Generate(codec.Struct):
    contents: list[Content]
    systemInstruction: Content | None = None
    tools: list[OfferedTool] | None = None
    toolConfig: ToolConfig | None = None
    generationConfig: Config | None = None


_read = codec.decoder(Generate).decode
_OPAQUE = {"args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema"}


def read(body: bytes) -> Generate:
    """Google takes names in camelCase and in snake_case; its own SDK sends both."""
    return _read(codec.encode(_camel(codec.decode(body))) if b"_" in body else body)


def _camel(value: Any) -> Any:
    if isinstance(value, list):
        return [_camel(one) for one in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    told: dict[str, Any] = {}
    for name, one in cast("dict[str, Any]", value).items():
        first, *others = name.split("_")
        spelt = first + "".join([word.capitalize() for word in others])
        told[spelt] = one if spelt in _OPAQUE else _camel(one)
    return told


def heard(given: Generate, model: str) -> Heard:
    """Raises Refusal where calls and results do not fit together, and for signatures that are not of here."""
    _check_pairs(given.contents)
    _check_signatures(given.contents, needed=signs(model))
    said = [content for content in given.contents if content.role == "user"]
    config = given.generationConfig or Config()
    last = said[-1] if said else Content()
    results = [_result(part.functionResponse) for part in last.parts if part.functionResponse]
    return Heard(
        next((words for words in map(text, reversed(said)) if words), "") if results else text(last),
        _tools(given),
        results=results if given.contents[-1] is last else (),
        schema=_schema(config),
        thinks=config.thinkingConfig is not None and bool(config.thinkingConfig.includeThoughts),
        files=_files(last),
    )


def signs(model: str) -> bool:
    """Whether a model gives signatures to calls also where no thoughts are shown, and wants them back."""
    return model.startswith("gemini-3")


def text(content: Content) -> str:
    return "".join(part.text or "" for part in content.parts)


def _check_pairs(contents: Sequence[Content]) -> None:
    calls = 0
    for content in contents:
        results = len([part for part in content.parts if part.functionResponse])
        if results != calls and content.role == "user":
            raise Refusal(
                400,
                "Please ensure that the number of function response parts is equal to the number of function call"
                " parts of the function call turn.",
            )
        calls = len([part for part in content.parts if part.functionCall])


def _check_signatures(contents: Sequence[Content], *, needed: bool) -> None:
    for content in contents:
        for part in content.parts:
            given = part.thoughtSignature
            if given and given not in _UNCHECKED and not signed(NAME, given):
                raise Refusal(400, "Thought signature is not valid.")
    if not needed:
        return
    for number, content in _this_turn(contents):
        first = next((part for part in content.parts if part.functionCall), None)
        if first is not None and first.functionCall and not first.thoughtSignature:
            raise Refusal(
                400,
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to"
                f" work correctly. Function call `{first.functionCall.name}`, position {number}.",
            )


def _this_turn(contents: Sequence[Content]) -> Iterator[tuple[int, Content]]:
    """What came after the last words of the user."""
    begins = [n for n, one in enumerate(contents) if one.role == "user" and any(part.text for part in one.parts)]
    begin = begins[-1] if begins else 0
    return ((number, content) for number, content in enumerate(contents) if number > begin)


def _result(result: Result) -> str:
    """What it says: the only member's text, or all in JSON."""
    response = result.response
    if isinstance(response, dict) and len(response) == 1:  # pyright: ignore[reportUnknownArgumentType]
        (only,) = response.values()  # pyright: ignore[reportUnknownVariableType]
        if isinstance(only, str):
            return only
    return codec.encode(response).decode()


def _tools(given: Generate) -> Sequence[Tool]:
    """The functions that may be called."""
    told = [declaration for tool in given.tools or () for declaration in tool.functionDeclarations]
    tools = [Tool(one.name, one.parametersJsonSchema or one.parameters or _OBJECT) for one in told]
    calling = (given.toolConfig and given.toolConfig.functionCallingConfig) or Calling()
    if calling.mode == "NONE":
        return ()
    allowed = calling.allowedFunctionNames
    if allowed is None:
        return tools
    if not {tool.name for tool in tools}.issuperset(allowed):
        raise Refusal(400, "allowed_function_names must be names of function_declarations.")
    return [tool for tool in tools if tool.name in allowed]


def _schema(config: Config) -> Any:
    schema = config.responseJsonSchema or config.responseSchema
    return schema or (_OBJECT if config.responseMimeType == "application/json" else None)


def _files(content: Content) -> list[File]:
    return [file(part.inlineData.mimeType, part.inlineData.data) for part in content.parts if part.inlineData]
