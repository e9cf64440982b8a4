"""Words of Anthropic messages that have others in the neutral form: why a model stopped, and what it used."""

from typing import Any

from penstock.model.chat import StopReason, Usage
from penstock.providers.dialects._shapes.members import object_or_none, written

NAME = "anthropic"
Json = dict[str, Any]

_READ = {
    "end_turn": StopReason.END,
    "max_tokens": StopReason.LENGTH,
    "model_context_window_exceeded": StopReason.LENGTH,
    "stop_sequence": StopReason.SEQUENCE,
    "tool_use": StopReason.TOOLS,
    "pause_turn": StopReason.PAUSE,
    "refusal": StopReason.REFUSAL,
}
_WRITTEN = {
    StopReason.LENGTH: "max_tokens",
    StopReason.SEQUENCE: "stop_sequence",
    StopReason.TOOLS: "tool_use",
    StopReason.PAUSE: "pause_turn",
    StopReason.REFUSAL: "refusal",
    StopReason.FILTER: "refusal",
}
_TIERS = {"standard": "default", "standard_only": "default"}  # the neutral words are those of OpenAI
_KNOWN = {"input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"}
_KEPT = {"cache_creation", "server_tool_use", "service_tier", "inference_geo", "speed", "iterations"}


def stop_of(word: str) -> str:
    """The neutral reason; words that others made up mean the ordinary end."""
    return _READ.get(word, StopReason.END) if word else ""


def told_stop(told: Json) -> Json | None:
    """What a stop says besides: a reason that the neutral form has no word for, and why the model refused."""
    told = {
        "stop_reason": "model_context_window_exceeded"
        if told.get("stop_reason") == "model_context_window_exceeded"
        else None,
        "stop_details": told.get("stop_details"),
    }
    return written(told) or None


def word_of(stop: str, extra: Json | None, *, called: bool, refused: bool) -> str:
    """The ``stop_reason``. ``called``, ``refused``: what the answer holds, whatever its dialect says of its end."""
    if extra and type(word := extra.get("stop_reason")) is str and word in _READ:
        return word
    if stop in ("", StopReason.END):
        return "tool_use" if called else "refusal" if refused else "end_turn"
    return _WRITTEN.get(stop, "end_turn")


def tier_of(word: str) -> str:
    """The neutral tier."""
    return _TIERS.get(word, word)


def usage_of(told: Json) -> Usage:
    """A usage object, whose input leaves out what a cache had to do with."""
    read, written_tokens = _count(told, "cache_read_input_tokens"), _count(told, "cache_creation_input_tokens")
    fresh = _count(told, "input_tokens")
    details = object_or_none(told.get("output_tokens_details")) or {}
    return Usage(
        None if fresh is None else fresh + (read or 0) + (written_tokens or 0),
        _count(told, "output_tokens"),
        cache_read=read,
        cache_write=written_tokens,
        reasoning=_count(details, "thinking_tokens"),
        extra={name: value for name, value in told.items() if name not in _KNOWN and value is not None} or None,
    )


def written_usage(usage: Usage | None) -> Json:
    """A usage object; the schema wants one in every answer."""
    usage = usage or Usage()
    read, written_tokens = usage.cache_read or 0, usage.cache_write or 0
    told: Json = {
        "input_tokens": max((usage.input or 0) - read - written_tokens, 0),
        "cache_creation_input_tokens": written_tokens,
        "cache_read_input_tokens": read,
        "output_tokens": usage.output or 0,
    }
    if usage.reasoning is not None:
        told["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    for name in _KEPT.intersection(usage.extra or ()):
        told[name] = (usage.extra or {})[name]
    return told


def _count(told: Json, name: str) -> int | None:
    value = told.get(name)
    return value if type(value) is int else None
