"""What OpenAI responses call what a model used, and how an answer ended."""

from typing import Any

from penstock.model.chat import StopReason, Usage
from penstock.providers.dialects._shapes.members import object_or_none, written

NAME = "openai_responses"
Json = dict[str, Any]

_KNOWN = ("input_tokens", "output_tokens", "total_tokens", "input_tokens_details", "output_tokens_details")


def usage_of(told: Json) -> Usage:
    """A usage object; members that are no numbers count as not told."""
    into = object_or_none(told.get("input_tokens_details")) or {}
    out = object_or_none(told.get("output_tokens_details")) or {}
    return Usage(
        _count(told, "input_tokens"),
        _count(told, "output_tokens"),
        cache_read=_count(into, "cached_tokens"),
        cache_write=_count(into, "cache_write_tokens"),
        reasoning=_count(out, "reasoning_tokens"),
        input_audio=_count(into, "audio_tokens"),
        output_audio=_count(out, "audio_tokens"),
        extra={name: value for name, value in told.items() if name not in _KNOWN} or None,
    )


def written_usage(usage: Usage) -> Json:
    """A usage object."""
    into = {
        "cached_tokens": usage.cache_read or 0,
        "cache_write_tokens": usage.cache_write or 0,
        "audio_tokens": usage.input_audio,
    }
    return {
        "input_tokens": usage.input or 0,
        "input_tokens_details": written(into),
        "output_tokens": usage.output or 0,
        "output_tokens_details": written(
            {"reasoning_tokens": usage.reasoning or 0, "audio_tokens": usage.output_audio}
        ),
        "total_tokens": (usage.input or 0) + (usage.output or 0),
    }


def ending(stop: str, *, refused: bool) -> tuple[str, Json | None]:
    """``status`` and ``incomplete_details`` of an answer. ``refused``: it holds the words of a refusal."""
    if stop == StopReason.ERROR:
        return "failed", None
    if stop == StopReason.LENGTH:
        return "incomplete", {"reason": "max_output_tokens"}
    if stop == StopReason.FILTER or (stop == StopReason.REFUSAL and not refused):
        return "incomplete", {"reason": "content_filter"}
    return "completed", None


def stop_of(answer: Json, *, calls: bool, refused: bool) -> str:
    """The neutral reason of a whole response object."""
    status = answer.get("status")
    if status in ("failed", "cancelled"):
        return StopReason.ERROR
    if status == "incomplete":
        reason = (object_or_none(answer.get("incomplete_details")) or {}).get("reason")
        return StopReason.FILTER if reason == "content_filter" else StopReason.LENGTH
    if calls:
        return StopReason.TOOLS
    return StopReason.REFUSAL if refused else StopReason.END


def _count(told: Json, name: str) -> int | None:
    value = told.get(name)
    return value if type(value) is int else None
