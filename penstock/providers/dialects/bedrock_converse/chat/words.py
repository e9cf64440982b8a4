"""Words of Converse that have others in the neutral form: why a model stopped, and what it used."""

from typing import Any

from penstock.model.chat import StopReason, Usage

NAME = "bedrock_converse"
Json = dict[str, Any]

_READ = {
    "end_turn": StopReason.END,
    "tool_use": StopReason.TOOLS,
    "max_tokens": StopReason.LENGTH,
    "model_context_window_exceeded": StopReason.LENGTH,
    "stop_sequence": StopReason.SEQUENCE,
    "guardrail_intervened": StopReason.FILTER,
    "content_filtered": StopReason.FILTER,
    "refusal": StopReason.REFUSAL,
    "pause_turn": StopReason.PAUSE,
    "malformed_model_output": StopReason.ERROR,
    "malformed_tool_use": StopReason.ERROR,
}


def stop_of(word: str) -> str:
    """The neutral reason; a word that is not known means the ordinary end."""
    return _READ.get(word, StopReason.END) if word else ""


def usage_of(told: Json) -> Usage:
    """A usage object, whose input leaves out what a cache had to do with."""
    fresh, read = _count(told, "inputTokens"), _count(told, "cacheReadInputTokens")
    kept = _count(told, "cacheWriteInputTokens")
    total = None if fresh is None else fresh + (read or 0) + (kept or 0)
    return Usage(total, _count(told, "outputTokens"), cache_read=read, cache_write=kept)


def _count(told: Json, name: str) -> int | None:
    value = told.get(name)
    return value if type(value) is int else None
