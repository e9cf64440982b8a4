"""A request as Anthropic messages have it."""

from typing import Any

from penstock.core.codec import encode
from penstock.core.errors import MalformedChat
from penstock.model.chat import ChatRequest, Function, NativeTool, Notes, Tool
from penstock.providers.dialects._shapes.asking import JSON, call_words, schema_words
from penstock.providers.dialects._shapes.claude.models import Model, model_of
from penstock.providers.dialects._shapes.claude.schemas import fitted, input_schema
from penstock.providers.dialects._shapes.claude.thinking import sampling_of, thinking_of
from penstock.providers.dialects._shapes.members import written
from penstock.providers.dialects.anthropic.chat.words import NAME
from penstock.providers.dialects.anthropic.chat.write_messages import asked_for, messages_of, own_messages
from penstock.providers.dialects.anthropic.chat.write_turns import Blocks, marked_cache

Json = dict[str, Any]
_CHOICES = {"auto": "auto", "required": "any", "none": "none", "function": "tool"}
_TIERS = {"auto": "auto", "default": "standard_only", "priority": "auto"}
_LEFT_OUT = ("seed", "presence_penalty", "frequency_penalty", "logprobs")  # Claude has nothing like them
_TEXT_INPUT = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}


def write_request(request: ChatRequest, notes: Notes) -> bytes:
    """Raises MalformedChat for what cannot be said."""
    return encode(_own(request, notes) if request.dialect == NAME else _others(request, notes))


def _own(request: ChatRequest, notes: Notes) -> Json:
    system, messages = own_messages(request.turns, notes)
    extra = dict(request.extra or {})
    effort = (request.effort.extra if request.effort else None) or {}
    config = {**extra.pop("output_config", {}), "effort": effort.get("effort"), "format": _own_format(request)}
    metadata = {**extra.pop("metadata", {}), "user_id": request.user or None}
    body = {
        "model": request.model,
        "max_tokens": request.max_tokens,
        "system": Blocks(notes, own=True).content(system) if system else None,
        "messages": messages,
        "tools": [_tool(tool, tool.extra if type(tool) is Function else None) for tool in request.tools or ()] or None,
        "tool_choice": _tool_choice(request),
        "thinking": effort.get("thinking"),
        "output_config": written(config) or None,
        "metadata": written(metadata) or None,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "stop_sequences": request.stop,
        "service_tier": _TIERS.get(request.service_tier, request.service_tier) or None,
        "stream": request.stream or None,
    }
    return written(body, extra)


def _own_format(request: ChatRequest) -> Json | None:
    form = request.format
    return None if form is None else written({"type": "json_schema", "schema": form.schema}, form.extra)


def _others(request: ChatRequest, notes: Notes) -> Json:
    _refuse_candidates(request)
    model = model_of(request.model)
    system, messages = messages_of(request.turns, notes)
    tools = _tools(request, model, notes)
    form, words = _format(request, model, notes)
    choice = _tool_choice(request) if tools else None
    if request.tool_choice and request.tool_choice.mode not in _CHOICES:
        notes.lost("tool_choice")
    if choice and choice["type"] in ("any", "tool") and not model.forced:
        words.append(call_words(choice.get("name", "")))
        choice = written({**choice, "type": "auto", "name": None})
        notes.lost("tool_choice")
    may_think = (not choice or choice["type"] in ("auto", "none")) and (model.adaptive or _thought(messages))
    thinking = thinking_of(request, model, may_think=may_think, notes=notes)
    config = {"effort": thinking.pop("effort", None), "format": form}
    for name in _LEFT_OUT:
        if getattr(request, name):
            notes.lost(name)
    for name in request.extra or ():
        notes.lost(name)
    body = {
        "model": request.model,
        **thinking,
        "system": Blocks(notes, own=False).content(asked_for(system, words)) or None,
        "messages": messages,
        "tools": tools or None,
        "tool_choice": choice,
        "output_config": written(config) or None,
        "metadata": {"user_id": request.user} if request.user else None,
        **sampling_of(request, model, thinks="thinking" in thinking and may_think, notes=notes),
        "stop_sequences": _stop(request, notes),
        "service_tier": _tier(request, notes),
        "stream": request.stream or None,
    }
    return written(body)


def _refuse_candidates(request: ChatRequest) -> None:
    if request.candidates is not None and request.candidates > 1:
        raise MalformedChat("n: Claude gives one answer a request, ask several times for several answers.")


def _thought(messages: list[Json]) -> bool:
    """Whether thinking may be on: a turn that called tools must begin with the thinking that led to it."""
    if len(messages) < 2 or messages[-1]["role"] != "user":  # noqa: PLR2004
        return True
    content = messages[-1]["content"]
    if type(content) is str or content[0]["type"] != "tool_result":
        return True
    called = messages[-2]["content"]
    return type(called) is not str and called[0]["type"] in ("thinking", "redacted_thinking")


def _tools(request: ChatRequest, model: Model, notes: Notes) -> list[Json]:
    """Those that may be called: what is left out here cannot be."""
    tools: list[Json] = []
    allowed = request.tool_choice.allowed if request.tool_choice else None
    for tool in request.tools or ():
        match tool:
            case Function() if allowed is not None and tool.name not in allowed:
                pass
            case Function():
                for name in tool.extra or ():
                    notes.lost(f"tools[].{name}")
                tools.append(_fitted(tool, model, notes))
            case NativeTool() if tool.dialect == NAME:
                tools.append(tool.value)
            case NativeTool():
                notes.lost(f"tools[type={tool.kind}]")
    return tools


def _fitted(tool: Function, model: Model, notes: Notes) -> Json:
    """A tool of another dialect."""
    told = _tool(tool, None)
    told["input_schema"] = dict(_TEXT_INPUT) if tool.free else input_schema(tool.schema)
    if told.pop("strict", None):
        if model.formats and (schema := fitted(told["input_schema"])) is not None:
            told |= {"strict": True, "input_schema": schema}
        else:
            notes.lost("tools[].strict")
    return told


def _tool(tool: Tool, extra: Json | None) -> Json:
    if isinstance(tool, NativeTool):
        return tool.value
    told = {
        "name": tool.name,
        "description": tool.description or None,
        "input_schema": tool.schema,
        "strict": tool.strict,
        "cache_control": marked_cache(tool),
    }
    return written(told, extra)


def _tool_choice(request: ChatRequest) -> Json | None:
    choice, parallel = request.tool_choice, request.parallel
    if choice is None:
        return {"type": "auto", "disable_parallel_tool_use": True} if parallel is False else None
    kind = _CHOICES.get(choice.mode, "auto")
    own = request.dialect == NAME
    alone = None if parallel is None or kind == "none" or (parallel and not own) else not parallel
    told = {"type": kind, "name": choice.name or None, "disable_parallel_tool_use": alone}
    return written(told, choice.extra if own else None)


def _format(request: ChatRequest, model: Model, notes: Notes) -> tuple[Json | None, list[str]]:
    """The form of the answer, or words that ask for it where the model has none."""
    form = request.format
    if form is None or form.kind == "text":
        return None, []
    if form.kind == "json" or (form.kind == "schema" and form.schema is None):
        return None, [JSON]
    if form.kind != "schema":
        notes.lost("response_format")
        return None, []
    if model.formats and (schema := fitted(form.schema)) is not None:
        return {"type": "json_schema", "schema": schema}, []
    notes.lost("response_format")
    return None, [schema_words(form.schema)]


def _stop(request: ChatRequest, notes: Notes) -> list[str] | None:
    """Sequences of white space alone are refused."""
    sequences = [one for one in request.stop or () if one.strip()]
    if len(sequences) != len(request.stop or ()):
        notes.lost("stop")
    return sequences or None


def _tier(request: ChatRequest, notes: Notes) -> str | None:
    tier = _TIERS.get(request.service_tier)
    if request.service_tier and tier is None:
        notes.lost("service_tier")
    return tier
