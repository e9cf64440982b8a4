"""A request as Cohere's chat has it.

https://docs.cohere.com/reference/chat
"""

from typing import Any

from penstock.core.codec import encode
from penstock.core.errors import MalformedChat
from penstock.model.chat import ChatRequest, Effort, Function, NativeTool, Notes, ToolChoice
from penstock.providers.dialects._shapes.asking import JSON, schema_words
from penstock.providers.dialects._shapes.members import object_or_none, written
from penstock.providers.dialects.cohere.chat.words import Json
from penstock.providers.dialects.cohere.chat.write_messages import Messages

_STOPS = 5
_MOST_K = 500
_LEAST_P, _MOST_P = 0.01, 0.99
_BUDGETS = {"minimal": 1_024, "low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 31_000, "max": 31_000}
_LEFT_OUT = ("logprobs", "user")
_TEXT_INPUT = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}


def write_request(request: ChatRequest, notes: Notes) -> bytes:
    """Raises MalformedChat for what cannot be said."""
    if request.candidates is not None and request.candidates > 1:
        raise MalformedChat("n: Cohere gives one answer a request, ask several times for several answers.")
    if len(request.stop or ()) > _STOPS:
        raise MalformedChat(f"stop: Cohere takes at most {_STOPS} sequences, leave some out.")
    tools = _tools(request, notes)
    asks_json = request.format is not None and request.format.kind in ("json", "schema")
    documents: list[Json] | None = None if asks_json else []
    messages = Messages(documents, notes).of(request.turns)
    form, words = _format(request, notes, alone=not tools)
    for name in _LEFT_OUT:
        if getattr(request, name) not in (None, ""):
            notes.lost(name)
    if request.parallel is False and tools:
        notes.lost("parallel_tool_calls")
    if request.service_tier not in ("", "auto", "default"):
        notes.lost("service_tier")
    for name in request.extra or ():
        notes.lost(name)
    body = {
        "model": request.model,
        "messages": [*[{"role": "system", "content": one} for one in words], *messages],
        "documents": documents or None,
        "tools": tools or None,
        "strict_tools": _strict(request, tools, notes),
        "tool_choice": _tool_choice(request.tool_choice, notes) if tools else None,
        "response_format": form,
        "thinking": _thinking(request, notes),
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "p": _within(request.top_p, _LEAST_P, _MOST_P),
        "k": _within(request.top_k, 0, _MOST_K),
        "stop_sequences": request.stop or None,
        "seed": request.seed,
        "frequency_penalty": _penalty("frequency_penalty", request.frequency_penalty, notes),
        "presence_penalty": _penalty("presence_penalty", request.presence_penalty, notes),
        "stream": request.stream or None,
    }
    return encode(written(body))


def _tools(request: ChatRequest, notes: Notes) -> list[Json]:
    """Those that may be called: a choice of one leaves out the others, as there is no member that names it."""
    choice = request.tool_choice
    allowed = [choice.name] if choice and choice.mode == "function" else choice.allowed if choice else None
    tools: list[Json] = []
    for tool in request.tools or ():
        if isinstance(tool, NativeTool):
            notes.lost(f"tools[type={tool.value.get('type')}]")
        elif allowed is None or tool.name in allowed:
            for name in tool.extra or ():
                notes.lost(f"tools[].{name}")
            if tool.cache is not None:
                notes.lost("cache_control")
            tools.append({"type": "function", "function": _function(tool)})
    return tools


def _function(tool: Function) -> Json:
    schema: Any = dict(_TEXT_INPUT) if tool.free else tool.schema or {"type": "object", "properties": {}}
    return written({"name": tool.name, "description": tool.description or None, "parameters": schema})


def _strict(request: ChatRequest, tools: list[Json], notes: Notes) -> bool | None:
    """For all tools or none, each of which has to require something."""
    strict = [tool.strict for tool in request.tools or () if isinstance(tool, Function)]
    if not tools or not any(strict):
        return None
    schemas = [object_or_none(tool["function"]["parameters"]) or {} for tool in tools]
    if all(strict) and all(schema.get("required") for schema in schemas):
        return True
    notes.lost("tools[].strict")
    return None


def _tool_choice(choice: ToolChoice | None, notes: Notes) -> str | None:
    match choice.mode if choice else "auto":
        case "required" | "function":
            return "REQUIRED"
        case "none":
            return "NONE"
        case "auto":
            return None
        case _:
            notes.lost("tool_choice")
            return None


def _format(request: ChatRequest, notes: Notes, *, alone: bool) -> tuple[Json | None, list[str]]:
    """The form of the answer, and words that ask for it, as Cohere wants them beside; no member beside tools."""
    form = request.format
    if form is None or form.kind == "text":
        return None, []
    if form.kind not in ("json", "schema"):
        notes.lost("response_format")
        return None, []
    if alone:
        return written({"type": "json_object", "json_schema": form.schema}), [JSON]
    notes.lost("response_format")
    return None, [JSON if form.schema is None else schema_words(form.schema)]


def _thinking(request: ChatRequest, notes: Notes) -> Json | None:
    """Models that reason do so unasked."""
    effort = request.effort
    if effort is None:
        return None
    reasons = "reasoning" in request.model
    if effort.level == "none" or (not effort.level and effort.budget == 0):
        return {"type": "disabled"} if reasons else None
    if not reasons:
        notes.lost("reasoning_effort")
        return None
    return written({"type": "enabled", "token_budget": _budget(effort)})


def _budget(effort: Effort) -> int | None:
    """None: as many tokens as the model wants."""
    if effort.budget is not None:
        return effort.budget if effort.budget > 0 else None
    return _BUDGETS.get(effort.level)


def _within(value: float | None, least: float, most: float) -> float | None:
    return None if value is None else min(max(value, least), most)


def _penalty(name: str, value: float | None, notes: Notes) -> float | None:
    """From 0 to 1."""
    if value is None or 0 <= value <= 1:
        return value
    notes.lost(name)
    return 1 if value > 1 else None
