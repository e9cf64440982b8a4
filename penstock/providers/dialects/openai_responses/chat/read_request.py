"""A request of a client that speaks OpenAI responses.

https://platform.openai.com/docs/api-reference/responses/create
"""

from typing import Any

from penstock.core.errors import MalformedChat
from penstock.model.chat import (
    ChatRequest,
    Effort,
    Extra,
    Format,
    Function,
    Native,
    NativeTool,
    Text,
    Tool,
    ToolChoice,
    Turn,
)
from penstock.providers.dialects._shapes.members import Members, list_or_none, members_of
from penstock.providers.dialects.openai_responses.chat.read_items import turns_of
from penstock.providers.dialects.openai_responses.chat.words import NAME

INSTRUCTIONS = {"id": None}  # marks the turn that stands beside the input; no item has a member that is null
LOGPROBS = "message.output_text.logprobs"
SEALED = "reasoning.encrypted_content"

_KEPT = {  # by another's provider they would be asked for what it does not keep
    "previous_response_id": "the provider keeps no responses; send the whole conversation as input.",
    "conversation": "the provider keeps no conversations; send the whole conversation as input.",
    "prompt": "the provider keeps no prompts; send instructions and input.",
}
_KEPT_ITEMS = {
    "item_reference": "the provider keeps no items; send the item itself.",
    "compaction": "only the provider that made the item can read it; send the conversation itself.",
}


def read_request(body: bytes) -> ChatRequest:
    """Raises MalformedChat."""
    told = members_of(body)
    turns = _turns(told)
    tools = [_tool(tool) for tool in told.objects("tools")]
    text = told.object("text")
    form = _format(text.object("format")) if text else None
    logprobs = _logprobs(told)
    request = ChatRequest(
        NAME,
        told.text("model"),
        turns,
        tools=tools or None,
        tool_choice=_tool_choice(told.any("tool_choice")),
        parallel=told.truth("parallel_tool_calls"),
        format=form,
        effort=_effort(told.object("reasoning")),
        max_tokens=told.whole("max_output_tokens"),
        temperature=told.number("temperature"),
        top_p=told.number("top_p"),
        logprobs=logprobs,
        user=told.text("user"),
        service_tier=told.text("service_tier"),
        stream=bool(told.truth("stream")),
    )
    if text and (rest := text.rest()):
        told.left["text"] = rest
    request.bound = _bound(told, turns)
    request.moot = _moot(told)
    request.extra = told.rest()
    return request


def _turns(told: Members) -> list[Turn]:
    instructions, value = told.text("instructions"), told.any("input")
    turns = [Turn("system", [Text(instructions)], extra=INSTRUCTIONS)] if instructions else []
    if value is None:
        if not any(told.left.get(name) for name in _KEPT):
            raise MalformedChat("input: is missing.")
        return turns
    if type(value) is str:
        return [*turns, Turn("user", [Text(value)])]
    if (items := list_or_none(value)) is None:
        raise MalformedChat("input: must be a text or a list of items.")
    return [*turns, *turns_of([Members(item, f"input[{number}]") for number, item in enumerate(items)])]


def _bound(told: Members, turns: list[Turn]) -> str:
    for name, why in _KEPT.items():
        if told.left.get(name):
            return f"{name}: {why}"
    if told.left.get("background"):
        return "background: the provider answers at once only; leave it out."
    for turn in turns:
        for part in turn.content:
            if type(part) is Native and (why := _KEPT_ITEMS.get(kind := part.value.get("type", ""))):
                return f"input[type={kind}]: {why}"
    return ""


def _moot(told: Members) -> Extra:
    moot: dict[str, Any] = {}
    for name, plain in _MOOT.items():
        if name in told.left and told.left[name] in plain:
            moot[name] = told.any(name)
    moot |= {name: told.any(name) for name in ("metadata", "stream_options") if name in told.left}
    return {name: value for name, value in moot.items() if value is not None} or None


_MOOT: dict[str, tuple[Any, ...]] = {  # values that ask for what every provider does
    "store": (False, None),
    "background": (False, None),
    "truncation": ("disabled", None),
    "include": ([], [SEALED], None),
}


def _logprobs(told: Members) -> int | None:
    """``include`` asks for them; ``top_logprobs`` says how many."""
    include = told.items("include") or []
    rest = [one for one in include if one != LOGPROBS]
    if rest:
        told.left["include"] = rest
    if len(rest) == len(include):
        return None
    return told.whole("top_logprobs") or 0


def _effort(told: Members | None) -> Effort | None:
    if told is None:
        return None
    shown = True if told.left.get("summary") or told.left.get("generate_summary") else None
    return Effort(told.text("effort"), shown=shown, extra=told.rest())


def _format(told: Members | None) -> Format | None:
    if told is None:
        return None
    kind = told.text("type", "text")
    if kind == "json_object":
        return Format("json")
    if kind != "json_schema":
        return Format(kind, extra=told.rest())
    name, description, strict = told.text("name"), told.text("description"), told.truth("strict")
    return Format("schema", name, description, told.any("schema"), strict, told.rest())


def _tool(tool: Members) -> Tool:
    kind = tool.text("type", "function")
    if kind not in ("function", "custom"):
        return NativeTool(NAME, {"type": kind, **(tool.rest() or {})})
    name, description = tool.text("name"), tool.text("description")
    if not name:
        raise MalformedChat(f"{tool.at('name')}: is missing.")
    if kind == "custom":
        return Function(name, description, free=True, extra=tool.rest())
    return Function(name, description, tool.any("parameters"), tool.truth("strict"), extra=tool.rest())


def _tool_choice(value: Any) -> ToolChoice | None:
    if value is None:
        return None
    if type(value) is str:
        return ToolChoice(value)
    choice = Members(value, "tool_choice")
    kind = choice.text("type", "function")
    if kind in ("function", "custom"):
        name = choice.text("name")
        if not name:
            raise MalformedChat("tool_choice.name: is missing.")
        return ToolChoice("function", name)
    if kind == "allowed_tools":
        tools = [Members(one, "tool_choice.tools") for one in list_or_none(choice.left.get("tools")) or []]
        names = [tool.text("name") for tool in tools if tool.left.get("type") in ("function", "custom")]
        if len(names) == len(tools):
            return ToolChoice(choice.text("mode", "auto"), allowed=names)
    return ToolChoice(kind, extra=choice.rest() or {})
