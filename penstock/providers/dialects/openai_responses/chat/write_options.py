"""Members of a request besides its input; a response object repeats them."""

from typing import Any

from penstock.model.chat import ChatRequest, Function, NativeTool, Tool
from penstock.providers.dialects._shapes.members import object_or_none, written
from penstock.providers.dialects.openai_responses.chat.words import NAME

Json = dict[str, Any]
_LEVELS = ((0, "none"), (2_048, "low"), (12_288, "medium"), (24_576, "high"))  # up to so many tokens of a budget


def effort(request: ChatRequest) -> Json | None:
    """``reasoning``."""
    asked = request.effort
    if asked is None:
        return None
    own = request.dialect == NAME
    level = asked.level
    if not level and asked.budget is not None and asked.budget >= 0:
        level = next((level for most, level in _LEVELS if asked.budget <= most), "high")
    summary = "auto" if asked.shown and not own else None
    return written({"effort": level or None, "summary": summary}, asked.extra if own else None) or None


def form(request: ChatRequest) -> Json | None:
    """``text``."""
    own = request.dialect == NAME
    text: Json = dict(object_or_none((request.extra or {}).get("text")) or {}) if own else {}
    asked = request.format
    if asked is None:
        return text or None
    extra = asked.extra if own else None
    if asked.kind == "json":
        text["format"] = {"type": "json_object"}
    elif asked.kind == "schema":
        schema = {
            "type": "json_schema",
            "name": asked.name or "answer",
            "description": asked.description or None,
            "schema": {"type": "object"} if asked.schema is None else asked.schema,
            "strict": asked.strict,
        }
        text["format"] = written(schema, extra)
    else:
        text["format"] = {"type": asked.kind, **(extra or {})}
    return text


def tool(one: Tool, *, own: bool) -> Json:
    """One of ``tools``. Without ``strict``, a function would be strict here, and is not elsewhere."""
    if type(one) is NativeTool:
        return one.value
    assert type(one) is Function
    extra = one.extra if own else None
    if one.free:
        return written({"type": "custom", "name": one.name, "description": one.description or None}, extra)
    told: Json = {
        "type": "function",
        "name": one.name,
        "description": one.description or None,
        "parameters": one.schema if own or one.schema is not None else {"type": "object", "properties": {}},
        "strict": one.strict if own or one.strict is not None else False,
    }
    return written(told, extra)


def tool_choice(request: ChatRequest) -> Any:
    """``tool_choice``; None: there is none."""
    choice = request.tool_choice
    if choice is None:
        return None
    if choice.mode == "function":
        return {"type": _kind(request, choice.name), "name": choice.name}
    if choice.allowed is not None:
        tools = [{"type": _kind(request, name), "name": name} for name in choice.allowed]
        return {"type": "allowed_tools", "mode": choice.mode, "tools": tools}
    if choice.mode in ("auto", "none", "required"):
        return choice.mode
    if request.dialect != NAME:
        return None
    return choice.mode if choice.extra is None else {"type": choice.mode, **choice.extra}


def _kind(request: ChatRequest, name: str) -> str:
    free = any(type(one) is Function and one.free and one.name == name for one in request.tools or ())
    return "custom" if free else "function"
