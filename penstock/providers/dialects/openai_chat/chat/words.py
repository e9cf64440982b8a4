"""Words of OpenAI chat that have others in the neutral form: why a model stopped, and what it used."""

from typing import Any

from penstock.model.chat import StopReason, Usage
from penstock.providers.dialects._shapes.members import object_or_none, written

_READ = {
    "stop": StopReason.END,
    "length": StopReason.LENGTH,
    "tool_calls": StopReason.TOOLS,
    "function_call": StopReason.TOOLS,
    "content_filter": StopReason.FILTER,
    "error": StopReason.ERROR,
    "insufficient_system_resource": StopReason.ERROR,
}
_WRITTEN = {
    StopReason.END: "stop",
    StopReason.SEQUENCE: "stop",
    StopReason.PAUSE: "stop",
    StopReason.LENGTH: "length",
    StopReason.TOOLS: "tool_calls",
    StopReason.FILTER: "content_filter",
    StopReason.REFUSAL: "content_filter",
    StopReason.ERROR: "content_filter",
}


def stop_of(word: str) -> str:
    """The neutral reason; words that others made up mean the ordinary end."""
    return _READ.get(word, StopReason.END) if word else ""


def word_of(stop: str, *, refused: bool) -> str:
    """The ``finish_reason``. ``refused``: the answer has the words of a refusal, which OpenAI ends as any other."""
    if refused and stop == StopReason.REFUSAL:
        return "stop"
    return _WRITTEN.get(stop, "stop")


def usage_of(told: dict[str, Any]) -> Usage:
    """A usage object; members that are no numbers count as not told."""
    into, out = _details(told, "prompt_tokens_details"), _details(told, "completion_tokens_details")
    return Usage(
        _count(told, "prompt_tokens"),
        _count(told, "completion_tokens"),
        cache_read=_count(into, "cached_tokens"),
        cache_write=_count(into, "cache_write_tokens"),
        reasoning=_count(out, "reasoning_tokens"),
        input_audio=_count(into, "audio_tokens"),
        output_audio=_count(out, "audio_tokens"),
        extra={name: value for name, value in told.items() if name not in _KNOWN} or None,
    )


_KNOWN = {
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "prompt_tokens_details",
    "completion_tokens_details",
}


def written_usage(usage: Usage) -> dict[str, Any]:
    """A usage object."""
    into = {
        "cached_tokens": usage.cache_read or 0,
        "cache_write_tokens": usage.cache_write or None,
        "audio_tokens": usage.input_audio or 0,
    }
    out = {"reasoning_tokens": usage.reasoning or 0, "audio_tokens": usage.output_audio or 0}
    return {
        "prompt_tokens": usage.input or 0,
        "completion_tokens": usage.output or 0,
        "total_tokens": (usage.input or 0) + (usage.output or 0),
        "prompt_tokens_details": written(into),
        "completion_tokens_details": written(out),
    }


def _details(told: dict[str, Any], name: str) -> dict[str, Any]:
    return object_or_none(told.get(name)) or {}


def _count(told: dict[str, Any], name: str) -> int | None:
    value = told.get(name)
    return value if type(value) is int else None
