"""``toolConfig`` of a request of Converse.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html
"""

from typing import Any

from penstock.model.chat import ChatRequest, Function, NativeTool, Notes
from penstock.providers.dialects._shapes.asking import call_words
from penstock.providers.dialects._shapes.claude.schemas import fitted, input_schema
from penstock.providers.dialects._shapes.members import written
from penstock.providers.dialects.bedrock_converse.chat.models import Takes
from penstock.providers.dialects.bedrock_converse.chat.words import Json
from penstock.providers.dialects.bedrock_converse.chat.write_blocks import Blocks
from penstock.providers.dialects.bedrock_converse.chat.write_messages import has_tools

_TEXT_INPUT = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
_NO_CALLS = "Do not call a tool: answer in words."


def tool_config(
    request: ChatRequest, messages: list[Json], takes: Takes, blocks: Blocks, notes: Notes, words: list[str]
) -> Json | None:
    """``words``: gets what only words can ask for."""
    choice = request.tool_choice
    none = choice is not None and choice.mode == "none"
    specs = _specs(request, takes, blocks, notes)
    called = has_tools(messages)
    if none and not called:
        return None
    if called and (none or not specs):  # that they are not to be called has no member
        words.append(_NO_CALLS)
        if none:
            notes.lost("tool_choice")
        return {"tools": specs or _specs_of(messages)}
    if not specs:
        return None
    if request.parallel is False:
        notes.lost("parallel_tool_calls")
    return written({"tools": specs, "toolChoice": _choice(request, takes, notes, words)})


def _choice(request: ChatRequest, takes: Takes, notes: Notes, words: list[str]) -> Json | None:
    choice = request.tool_choice
    match choice.mode if choice else "auto":
        case "required" if takes.any_tool:
            return {"any": {}}
        case "function" if takes.named_tool and choice:
            return {"tool": {"name": choice.name}}
        case "auto" | "none":
            return None
        case "required" | "function":
            words.append(call_words(choice.name if choice else ""))
        case _:  # what only another dialect has
            pass
    notes.lost("tool_choice")
    return None


def _specs(request: ChatRequest, takes: Takes, blocks: Blocks, notes: Notes) -> list[Json]:
    """Those that may be called: what is left out here cannot be."""
    specs: list[Json] = []
    allowed = request.tool_choice.allowed if request.tool_choice else None
    for tool in request.tools or ():
        if isinstance(tool, NativeTool):
            notes.lost(f"tools[type={tool.value.get('type')}]")
        elif allowed is None or tool.name in allowed:
            for name in tool.extra or ():
                notes.lost(f"tools[].{name}")
            specs.append({"toolSpec": _spec(tool, takes, notes)})
            if tool.cache is not None:
                specs += blocks.mark(tool.cache, tools=True)
    return specs


def _spec(tool: Function, takes: Takes, notes: Notes) -> Json:
    schema: Any = dict(_TEXT_INPUT) if tool.free else input_schema(tool.schema)
    strict = None
    if tool.strict:
        fit = fitted(schema) if takes.formats else None
        if fit is None:
            notes.lost("tools[].strict")
        else:
            schema, strict = fit, True
    told = {
        "name": tool.name,
        "description": tool.description or None,
        "inputSchema": {"json": schema},
        "strict": strict,
    }
    return written(told)


def _specs_of(messages: list[Json]) -> list[Json]:
    """Of the tools that the conversation called."""
    blocks = [block for message in messages for block in message["content"]]
    names = dict.fromkeys([block["toolUse"]["name"] for block in blocks if "toolUse" in block]) or {"tool": None}
    return [{"toolSpec": {"name": name, "inputSchema": {"json": input_schema(None)}}} for name in names]
