"""A request as OpenAI responses have it.

https://platform.openai.com/docs/api-reference/responses/create
"""

from typing import Any

from penstock.core.codec import encode
from penstock.core.errors import MalformedChat
from penstock.model.chat import ChatRequest, Effort, NativeTool, Notes, Text, Turn
from penstock.providers.dialects._shapes.members import written
from penstock.providers.dialects.openai_responses.chat.read_request import INSTRUCTIONS, LOGPROBS, SEALED
from penstock.providers.dialects.openai_responses.chat.words import NAME
from penstock.providers.dialects.openai_responses.chat.write_input import Input
from penstock.providers.dialects.openai_responses.chat.write_options import effort, form, tool, tool_choice

Json = dict[str, Any]
_LEAST = 16  # tokens of an answer: fewer are refused
_LEFT_OUT = ("top_k", "stop", "seed", "presence_penalty", "frequency_penalty")  # there is nothing like them


def write_request(request: ChatRequest, notes: Notes) -> bytes:
    """Raises MalformedChat for what cannot be said."""
    own = request.dialect == NAME
    instructions, turns = _instructions(request)
    body = {
        "model": request.model,
        "instructions": instructions,
        "input": Input(notes, own=own).items(turns),
        "tools": _tools(request, notes, own=own),
        "tool_choice": tool_choice(request),
        "parallel_tool_calls": request.parallel,
        "text": form(request),
        "reasoning": effort(request),
        "max_output_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_logprobs": request.logprobs or None,
        "user": request.user or None,
        "service_tier": request.service_tier or None,
        "stream": True if request.stream else None,
    }
    return encode(written(body, _own(request) if own else _others(request, notes)))


def _own(request: ChatRequest) -> Json:
    """What only this dialect has."""
    told = {name: value for name, value in (request.extra or {}).items() if name != "text"} | (request.moot or {})
    if request.logprobs is not None:
        told["include"] = [*(told.get("include") or []), LOGPROBS]
    return told


def _others(request: ChatRequest, notes: Notes) -> Json:
    """What a request of another dialect needs here. Thinking is sealed in the answer, as nothing is stored."""
    if (request.candidates or 1) > 1:
        raise MalformedChat("n: OpenAI responses give one answer; ask for one.")
    for name in (*_LEFT_OUT, *(request.extra or ())):
        if name not in _LEFT_OUT or getattr(request, name):
            notes.lost(name)
    if request.tool_choice is not None and tool_choice(request) is None:
        notes.lost(f"tool_choice[type={request.tool_choice.mode}]")
    told: Json = {"store": False}
    if request.max_tokens is not None and request.max_tokens < _LEAST:
        notes.lost("max_tokens")
        told["max_output_tokens"] = _LEAST
    include = [SEALED] if _thinks(request.effort) else []
    if request.logprobs is not None:
        include.append(LOGPROBS)
    return {**told, "include": include} if include else told


def _thinks(asked: Effort | None) -> bool:
    """Whether the model is one that thinks: others refuse to be asked for sealed thinking."""
    return asked is not None and (asked.level not in ("", "none") or asked.budget not in (None, 0))


def _instructions(request: ChatRequest) -> tuple[str | None, list[Turn]]:
    """The turn that stands beside the input, and the others: in another dialect, the first if it is the system's.

    There is no input without an item.
    """
    if not request.turns:
        return None, []
    first, rest = request.turns[0], request.turns[1:]
    if request.dialect == NAME:
        beside = first.extra == INSTRUCTIONS
    else:
        beside = first.role in ("system", "developer") and any(turn.content for turn in rest)
    texts = [part.text for part in first.content if type(part) is Text]
    if not beside or len(texts) < len(first.content):
        return None, request.turns
    return "\n\n".join([text for text in texts if text]) or None, rest


def _tools(request: ChatRequest, notes: Notes, *, own: bool) -> list[Json] | None:
    tools: list[Json] = []
    for one in request.tools or ():
        if type(one) is NativeTool and one.dialect != NAME:
            notes.lost(f"tools[type={one.kind}]")
        else:
            tools.append(tool(one, own=own))
    return tools or None
