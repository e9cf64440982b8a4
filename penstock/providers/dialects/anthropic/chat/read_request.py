"""A request of a client that speaks Anthropic messages.

https://platform.claude.com/docs/en/api/messages/create
"""

from typing import Any

from penstock.core.errors import MalformedChat
from penstock.model.chat import ChatRequest, Effort, Format, Function, NativeTool, Tool, ToolChoice, Turn
from penstock.providers.dialects._shapes.members import Members, members_of, object_or_none
from penstock.providers.dialects.anthropic.chat.read_turns import cache_of, content_of, turn_of
from penstock.providers.dialects.anthropic.chat.words import NAME, tier_of

_CHOICES = {"auto": "auto", "any": "required", "none": "none", "tool": "function"}


def read_request(body: bytes) -> ChatRequest:
    """Raises MalformedChat."""
    told = members_of(body)
    turns = [turn_of(message) for message in told.objects("messages")]
    if not turns:
        raise MalformedChat("messages: must be a list of at least one message.")
    if system := content_of(told, "system"):
        turns.insert(0, Turn("system", system))
    choice, parallel = _tool_choice(told.object("tool_choice"))
    effort, form = _output(told)
    request = ChatRequest(
        NAME,
        told.text("model"),
        turns,
        tools=[_tool(tool) for tool in told.objects("tools")] or None,
        tool_choice=choice,
        parallel=parallel,
        format=form,
        effort=effort,
        max_tokens=told.whole("max_tokens"),
        temperature=told.number("temperature"),
        top_p=told.number("top_p"),
        top_k=told.whole("top_k"),
        stop=_stop(told.items("stop_sequences")),
        service_tier=tier_of(told.text("service_tier")),
        stream=bool(told.truth("stream")),
        stream_usage=True,  # its streams always tell it
    )
    if (metadata := told.object("metadata")) is not None:
        request.user = metadata.text("user_id")
        _put_back(told, "metadata", metadata)
    request.extra = told.rest()
    return request


def _put_back(told: Members, name: str, inner: Members) -> None:
    """What is left of an object stays."""
    if (rest := inner.rest()) is not None:
        told.left[name] = rest


def _stop(sequences: list[Any] | None) -> list[str] | None:
    if sequences is not None and any(type(one) is not str for one in sequences):
        raise MalformedChat("stop_sequences: must be a list of texts.")
    return sequences


def _tool(tool: Members) -> Tool:
    kind = tool.text("type", "custom")
    if kind != "custom":
        return NativeTool(NAME, {"type": kind, **tool.left})
    name = tool.text("name")
    if not name:
        raise MalformedChat(f"{tool.at('name')}: is missing.")
    schema, strict, cache = tool.any("input_schema"), tool.truth("strict"), cache_of(tool)
    return Function(name, tool.text("description"), schema, strict, cache=cache, extra=tool.rest())


def _tool_choice(told: Members | None) -> tuple[ToolChoice | None, bool | None]:
    """The choice, and whether several tools may be called at once."""
    if told is None:
        return None, None
    kind, alone = told.text("type"), told.truth("disable_parallel_tool_use")
    mode = _CHOICES.get(kind)
    if mode is None:
        raise MalformedChat("tool_choice.type: must be auto, any, tool or none.")
    choice = ToolChoice(mode, told.text("name"), extra=told.rest())
    if mode == "function" and not choice.name:
        raise MalformedChat("tool_choice.name: is missing.")
    return choice, None if alone is None else not alone


def _output(told: Members) -> tuple[Effort | None, Format | None]:
    """``thinking`` and ``output_config``, or ``output_format``, as the latter's form was once called."""
    form = _format(told.object("output_format"))
    level = ""
    if (config := told.object("output_config")) is not None:
        form = _format(config.object("format")) or form
        level = config.text("effort")
        _put_back(told, "output_config", config)
    return _effort(level, told.object("thinking")), form


def _format(told: Members | None) -> Format | None:
    if told is None:
        return None
    kind = told.text("type")
    if kind != "json_schema":
        raise MalformedChat(f"{told.at('type')}: must be json_schema.")
    schema = object_or_none(told.any("schema"))
    if schema is None:
        raise MalformedChat(f"{told.at('schema')}: must be an object.")
    return Format("schema", schema=schema, extra=told.rest())


def _effort(level: str, thinking: Members | None) -> Effort | None:
    """How much to think, for other dialects; ``extra`` has both members as they are for this one."""
    if thinking is None:
        return Effort(level, extra={"effort": level}) if level else None
    raw = {**thinking.left}
    extra = {"thinking": raw, "effort": level or None}
    display = thinking.text("display")
    shown = None if not display else display != "omitted"
    match thinking.text("type"):
        case "enabled":
            return Effort(level, thinking.whole("budget_tokens"), shown, extra)
        case "adaptive":
            return Effort(level, -1, shown, extra)
        case _:  # disabled, or only between tools
            return Effort("none", extra=extra)
