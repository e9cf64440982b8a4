"""A request of a client that speaks OpenAI chat.

https://platform.openai.com/docs/api-reference/chat/create
"""

from collections.abc import Callable
from typing import Any

from penstock.core.errors import MalformedChat
from penstock.model.chat import ChatRequest, Effort, Format, Function, NativeTool, Tool, ToolChoice
from penstock.providers.dialects._shapes.members import Members, list_or_none, members_of
from penstock.providers.dialects.openai_chat.chat.read_turns import turn_of

NAME = "openai_chat"
_PLAIN: dict[str, tuple[str, Callable[[Members, str], Any]]] = {  # members that are fields of a request as they are
    "parallel_tool_calls": ("parallel", Members.truth),
    "temperature": ("temperature", Members.number),
    "top_p": ("top_p", Members.number),
    "top_k": ("top_k", Members.whole),  # of those who speak it too
    "seed": ("seed", Members.whole),
    "n": ("candidates", Members.whole),
    "presence_penalty": ("presence_penalty", Members.number),
    "frequency_penalty": ("frequency_penalty", Members.number),
    "user": ("user", Members.text),
    "service_tier": ("service_tier", Members.text),
}


def read_request(body: bytes) -> ChatRequest:
    """Raises MalformedChat."""
    told = members_of(body)
    turns = [turn_of(message) for message in told.objects("messages")]
    if not turns:
        raise MalformedChat("messages: must be a list of at least one message.")
    options = told.object("stream_options")
    wants_usage = options.truth("include_usage") if options else None
    request = ChatRequest(
        NAME,
        told.text("model"),
        turns,
        tools=_tools(told),
        tool_choice=_tool_choice(told),
        format=_format(told.object("response_format")),
        effort=_effort(told.text("reasoning_effort")),
        max_tokens=_max_tokens(told),
        stop=_stop(told),
        logprobs=_logprobs(told),
        stream=bool(told.truth("stream")),
        stream_usage=wants_usage,
    )
    for name in [*told.left]:
        if (plain := _PLAIN.get(name)) is not None:
            field, read = plain
            setattr(request, field, read(told, name))
    request.extra = told.rest()
    if options and (rest := options.rest()):
        request.extra = {**(request.extra or {}), "stream_options": rest}
    return request


def _max_tokens(told: Members) -> int | None:
    """``max_completion_tokens``, or the older name of it."""
    older = told.whole("max_tokens")
    newer = told.whole("max_completion_tokens")
    return older if newer is None else newer


def _stop(told: Members) -> list[str] | None:
    value = told.any("stop")
    if value is None:
        return None
    sequences = [value] if type(value) is str else list_or_none(value)
    if sequences is None or any(type(one) is not str for one in sequences):
        raise MalformedChat("stop: must be a text or a list of texts.")
    return sequences


def _logprobs(told: Members) -> int | None:
    wanted, alternatives = told.truth("logprobs"), told.whole("top_logprobs")
    return (alternatives or 0) if wanted else None


def _effort(level: str) -> Effort | None:
    return Effort(level) if level else None


def _tools(told: Members) -> list[Tool] | None:
    tools = [_tool(tool) for tool in told.objects("tools")]
    older = [_function(function) for function in told.objects("functions")]
    return [*tools, *older] or None


def _tool(tool: Members) -> Tool:
    kind = tool.text("type", "function")
    if kind == "function":
        function = tool.object("function")
        if function is None:
            raise MalformedChat(f"{tool.at('function')}: is missing.")
        return _function(function)
    if kind == "custom" and (custom := tool.object("custom")) is not None:
        return Function(_named(custom), custom.text("description"), free=True, extra=custom.rest())
    return NativeTool(NAME, {"type": kind, **(tool.rest() or {})})


def _function(function: Members) -> Function:
    return Function(
        _named(function),
        function.text("description"),
        function.any("parameters"),
        function.truth("strict"),
        extra=function.rest(),
    )


def _named(told: Members) -> str:
    name = told.text("name")
    if not name:
        raise MalformedChat(f"{told.at('name')}: is missing.")
    return name


def _tool_choice(told: Members) -> ToolChoice | None:
    value = told.any("tool_choice") or told.any("function_call")
    if value is None:
        return None
    if type(value) is str:
        return ToolChoice(value)
    choice = Members(value, "tool_choice")
    kind = choice.text("type", "function")
    if kind in ("function", "custom"):
        named = choice.object(kind) or choice
        return ToolChoice("function", _named(named))
    if kind == "allowed_tools" and (allowed := _allowed(choice.left.get(kind))) is not None:
        return allowed
    return ToolChoice(kind, extra=choice.rest())


def _allowed(value: Any) -> ToolChoice | None:
    """Some of the functions; None: there are tools of other kinds among them."""
    told = Members(value, "tool_choice.allowed_tools")
    functions = [tool.object("function") for tool in told.objects("tools")]
    names = [_named(function) for function in functions if function is not None]
    return ToolChoice(told.text("mode", "auto"), allowed=names) if len(names) == len(functions) else None


def _format(told: Members | None) -> Format | None:
    if told is None:
        return None
    kind = told.text("type", "text")
    if kind == "json_object":
        return Format("json")
    if kind != "json_schema":
        return Format(kind, extra=told.rest())
    schema = told.object("json_schema")
    if schema is None:
        raise MalformedChat("response_format.json_schema: is missing.")
    value: Any = schema.any("schema")
    return Format("schema", schema.text("name"), schema.text("description"), value, schema.truth("strict"))
