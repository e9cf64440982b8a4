"""An answer to a client that speaks OpenAI responses.

https://platform.openai.com/docs/api-reference/responses/object
"""

import time
from typing import Any

from penstock.core.codec import encode
from penstock.model.chat import Answer, ChatRequest, Failure, Refusal
from penstock.providers.dialects._shapes.members import written
from penstock.providers.dialects.openai_responses.chat.read_request import INSTRUCTIONS
from penstock.providers.dialects.openai_responses.chat.words import ending, written_usage
from penstock.providers.dialects.openai_responses.chat.write_items import new_id, output_of
from penstock.providers.dialects.openai_responses.chat.write_options import effort, form, tool, tool_choice

Json = dict[str, Any]
_ECHOED = ("max_tool_calls", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "prompt")


def write_answer(answer: Answer, asked: ChatRequest) -> bytes:
    """Complete as the published schema has it."""
    told = blank(asked, answer.id, answer.model, answer.created, answer.service_tier)
    if answer.candidates:
        first = answer.candidates[0]
        status, details = ending(first.stop, refused=any(type(part) is Refusal for part in first.content))
        told["output"] = output_of(first.content, asked, status, first.logprobs)
    else:
        status, details = "completed", None
    usage = None if answer.usage is None else written_usage(answer.usage)
    return encode(finished(told, status, details, usage))


def finished(told: Json, status: str, details: Json | None, usage: Json | None) -> Json:
    """The response object at its end."""
    told |= {"status": status, "incomplete_details": details, "usage": usage}
    if status == "completed":
        told["completed_at"] = _now()
    elif status == "failed" and told["error"] is None:
        told["error"] = failed(Failure("The provider could not go on."))
    return told


def failed(failure: Failure) -> Json:
    """The ``error`` of a response object. Its codes are a closed list."""
    code = failure.code if failure.code in _CODES else _CODE_OF.get(failure.code or failure.kind, "server_error")
    return {"code": code, "message": failure.message}


_CODES = ("server_error", "rate_limit_exceeded", "invalid_prompt")
_CODE_OF = {"rate_limit_error": "rate_limit_exceeded", "invalid_request_error": "invalid_prompt"}


def blank(asked: ChatRequest, name: str, model: str, created: int = 0, service_tier: str = "") -> Json:
    """A response object in progress: what is known before the answer, of which most is what was asked for."""
    extra = {**(asked.extra or {}), **(asked.moot or {})}
    first = asked.turns[0] if asked.turns else None
    return {
        "id": name if name.startswith("resp_") else f"resp_{name}" if name else new_id("resp"),
        "object": "response",
        "created_at": created or _now(),
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": _text(first) if first is not None and first.extra == INSTRUCTIONS else None,
        "max_output_tokens": asked.max_tokens,
        "model": model or asked.model,
        "output": [],
        "parallel_tool_calls": True if asked.parallel is None else asked.parallel,
        "previous_response_id": extra.get("previous_response_id"),
        "reasoning": {"effort": None, "summary": None, **(effort(asked) or {})},
        "service_tier": service_tier or asked.service_tier or "default",
        "store": False,  # nothing is kept under the id
        "temperature": asked.temperature,
        "text": {"format": {"type": "text"}, **(form(asked) or {})},
        "tool_choice": tool_choice(asked) or "auto",
        "tools": [tool(one, own=True) for one in asked.tools or ()],
        "top_logprobs": asked.logprobs or 0,
        "top_p": asked.top_p,
        "truncation": extra.get("truncation") or "disabled",
        "usage": None,
        "user": asked.user or None,
        "metadata": extra.get("metadata") or {},
        **written({name: extra.get(name) for name in _ECHOED}),
    }


def _text(turn: Any) -> str:
    return "".join([part.text for part in turn.content])


def _now() -> int:
    return int(time.time_ns() // 1_000_000_000)
