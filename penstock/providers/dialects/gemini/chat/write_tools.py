"""Tools of a request to Gemini, and which of them may be called.

https://ai.google.dev/gemini-api/docs/function-calling
"""

from typing import Any

from penstock.core.errors import MalformedChat
from penstock.model.chat import ChatRequest, Function, NativeTool, Notes
from penstock.providers.dialects._shapes.members import written
from penstock.providers.dialects.gemini.chat.words import NAME

Json = dict[str, Any]
_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "function": "ANY"}


def tools_of(request: ChatRequest, notes: Notes) -> list[Json] | None:
    """All functions in one tool, then Google's own tools, one each."""
    functions: list[Json] = []
    others: list[Json] = []
    for tool in request.tools or ():
        if type(tool) is Function:
            functions.append(_function(tool, notes, own=request.dialect == NAME))
        elif type(tool) is NativeTool and tool.dialect == NAME:
            others.append(tool.value)
        elif type(tool) is NativeTool:
            notes.lost(f"tools[type={tool.kind}]")
    return [*([{"functionDeclarations": functions}] if functions else ()), *others] or None


def _function(tool: Function, notes: Notes, *, own: bool) -> Json:
    """Gemini takes JSON schemas as they are. One that was told in its older form goes back in that (``extra``)."""
    if tool.free:
        raise MalformedChat(f"tools: {tool.name!r} takes any text, which Gemini does not have, make it a function.")
    if tool.cache is not None:
        notes.lost("cache_control")
    if tool.strict:
        notes.lost("strict")
    extra = tool.extra if own else None
    schema = None if extra is not None and "parameters" in extra else tool.schema
    told = {"name": tool.name, "description": tool.description or None, "parametersJsonSchema": schema}
    return written(told, extra)


def tool_config(request: ChatRequest, notes: Notes) -> Json | None:
    """Of another dialect, only where there are functions: Gemini refuses it otherwise."""
    choice, own = request.tool_choice, request.dialect == NAME
    if request.parallel is False:
        notes.lost("parallel_tool_calls")
    if choice is None or not (own or any(type(tool) is Function for tool in request.tools or ())):
        return None
    mode = _MODES.get(choice.mode)
    if mode is None:
        notes.lost("tool_choice")
        return None
    names = [choice.name] if choice.mode == "function" else choice.allowed
    if names is not None and mode == "AUTO":
        mode = "VALIDATED"  # as the model likes as well, and it takes names
    told: Json = {"mode": mode, "allowedFunctionNames": names}
    extra = choice.extra if own else None
    if extra is not None and _STREAMED in extra:  # calls come whole, so that they can be translated
        notes.lost(_STREAMED)
        extra = {name: value for name, value in extra.items() if name != _STREAMED}
    return {"functionCallingConfig": written(told, extra)}


_STREAMED = "streamFunctionCallArguments"
