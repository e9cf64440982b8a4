"""A request as OpenAI chat has it."""

from typing import Any

from penstock.core.codec import encode
from penstock.model.chat import ChatRequest, Format, Function, NativeTool, Notes, Tool, ToolChoice
from penstock.providers.dialects._shapes.members import written
from penstock.providers.dialects.openai_chat.chat.fitting import fitted, leave_out
from penstock.providers.dialects.openai_chat.chat.foreign import turns_from
from penstock.providers.dialects.openai_chat.chat.write_turns import messages_of

NAME = "openai_chat"
_LEVELS = ((0, "none"), (2_048, "low"), (12_288, "medium"), (24_576, "high"))  # up to so many tokens of a budget


def write_request(request: ChatRequest, notes: Notes) -> bytes:
    """Raises MalformedChat for what cannot be said."""
    own = request.dialect == NAME
    if not own:
        for name in request.extra or ():
            notes.lost(name)
    extra = request.extra if own else None
    turns, form = fitted(request)
    body = {
        "model": request.model,
        "messages": messages_of(turns if own else turns_from(turns), notes),
        "tools": [_tool(tool, own=own) for tool in request.tools if _can(tool, notes)] if request.tools else None,
        "tool_choice": _tool_choice(request.tool_choice, notes, own=own),
        "parallel_tool_calls": request.parallel,
        "response_format": _format(form),
        "reasoning_effort": _effort(request),
        "max_completion_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "stop": request.stop,
        "seed": request.seed,
        "n": request.candidates,
        "presence_penalty": request.presence_penalty,
        "frequency_penalty": request.frequency_penalty,
        "logprobs": None if request.logprobs is None else True,
        "top_logprobs": request.logprobs or None,
        "user": request.user or None,
        "service_tier": request.service_tier or None,
        "stream": True if request.stream else None,
        "stream_options": _stream_options(request),
    }
    if request.lacks:
        leave_out(body, request.lacks, notes)
    return encode(written(body, extra if extra is None or "stream_options" not in extra else _without(extra)))


def _stream_options(request: ChatRequest) -> dict[str, Any] | None:
    options = dict((request.extra or {}).get("stream_options") or {}) if request.dialect == NAME else {}
    if request.stream_usage is not None:
        options["include_usage"] = request.stream_usage
    return options or None


def _without(extra: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in extra.items() if name != "stream_options"}


def _effort(request: ChatRequest) -> str | None:
    effort = request.effort
    if effort is None:
        return None
    if effort.level:
        return effort.level
    if effort.budget is None or effort.budget < 0:
        return None
    return next((level for most, level in _LEVELS if effort.budget <= most), "high")


def _can(tool: Tool, notes: Notes) -> bool:
    if type(tool) is NativeTool and tool.dialect != NAME:
        notes.lost(f"tools[type={tool.kind}]")
        return False
    return True


def _tool(tool: Tool, *, own: bool) -> dict[str, Any]:
    if type(tool) is NativeTool:
        return tool.value
    assert type(tool) is Function
    extra = tool.extra if own else None
    if tool.free:
        custom = {"name": tool.name, "description": tool.description or None}
        return {"type": "custom", "custom": written(custom, extra)}
    function = {
        "name": tool.name,
        "description": tool.description or None,
        "parameters": tool.schema,
        "strict": tool.strict,
    }
    return {"type": "function", "function": written(function, extra)}


def _tool_choice(choice: ToolChoice | None, notes: Notes, *, own: bool) -> Any:
    if choice is None:
        return None
    if choice.mode == "function":
        return {"type": "function", "function": {"name": choice.name}}
    if choice.allowed is not None:
        tools = [{"type": "function", "function": {"name": name}} for name in choice.allowed]
        return {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode, "tools": tools}}
    if choice.mode in ("auto", "none", "required"):
        return choice.mode
    if not own:
        notes.lost(f"tool_choice[type={choice.mode}]")
        return None
    return choice.mode if choice.extra is None else {"type": choice.mode, **choice.extra}


def _format(form: Format | None) -> dict[str, Any] | None:
    if form is None:
        return None
    if form.kind == "json":
        return {"type": "json_object"}
    if form.kind != "schema":
        return {"type": form.kind, **(form.extra or {})}
    schema = {
        "name": form.name or "answer",
        "description": form.description or None,
        "schema": form.schema,
        "strict": form.strict,
    }
    return {"type": "json_schema", "json_schema": written(schema)}
