"""Words of Gemini that have others in the neutral form: why a model stopped, what it used, how sure it was."""

from datetime import UTC, datetime
from typing import Any

from penstock.model.chat import StopReason, Usage
from penstock.providers.dialects._shapes.members import list_or_none, object_or_none, written

NAME = "gemini"
MADE = "call_gemini_"  # begins the ids of calls that Gemini gave none; it is not told them
Json = dict[str, Any]

_READ = {
    "STOP": StopReason.END,
    "MAX_TOKENS": StopReason.LENGTH,
    "SAFETY": StopReason.FILTER,
    "RECITATION": StopReason.FILTER,
    "LANGUAGE": StopReason.FILTER,
    "BLOCKLIST": StopReason.FILTER,
    "PROHIBITED_CONTENT": StopReason.FILTER,
    "SPII": StopReason.FILTER,
    "MODEL_ARMOR": StopReason.FILTER,
    "IMAGE_SAFETY": StopReason.FILTER,
    "IMAGE_PROHIBITED_CONTENT": StopReason.FILTER,
    "IMAGE_RECITATION": StopReason.FILTER,
    "CONTINUATION": StopReason.PAUSE,
    "OTHER": StopReason.ERROR,
    "MALFORMED_FUNCTION_CALL": StopReason.ERROR,
    "MALFORMED_RESPONSE": StopReason.ERROR,
    "UNEXPECTED_TOOL_CALL": StopReason.ERROR,
    "TOO_MANY_TOOL_CALLS": StopReason.ERROR,
    "MISSING_THOUGHT_SIGNATURE": StopReason.ERROR,
    "NO_IMAGE": StopReason.ERROR,
    "IMAGE_OTHER": StopReason.ERROR,
}
_WRITTEN = {
    StopReason.LENGTH: "MAX_TOKENS",
    StopReason.FILTER: "SAFETY",
    StopReason.REFUSAL: "SAFETY",
    StopReason.ERROR: "OTHER",
}


def stop_of(word: str, *, calls: bool) -> str:
    """The neutral reason; ``calls``: the candidate calls functions, which Gemini ends as any other."""
    if not word:
        return ""
    stop = _READ.get(word, StopReason.END)
    return StopReason.TOOLS if calls and stop == StopReason.END else stop


def word_of(stop: str) -> str:
    """The ``finishReason``."""
    return _WRITTEN.get(stop, "STOP")


def usage_of(told: Json) -> Usage:
    """A ``usageMetadata``: thinking is beside the candidates' tokens, results of Google's tools beside the prompt's."""
    thoughts = _count(told, "thoughtsTokenCount")
    return Usage(
        _sum(_count(told, "promptTokenCount"), _count(told, "toolUsePromptTokenCount")),
        _sum(_count(told, "candidatesTokenCount"), thoughts),
        cache_read=_count(told, "cachedContentTokenCount"),
        reasoning=thoughts,
        input_audio=_audio(told, "promptTokensDetails"),
        output_audio=_audio(told, "candidatesTokensDetails"),
        extra={name: value for name, value in told.items() if name not in _FIGURES} or None,
    )


_FIGURES = {
    "promptTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "cachedContentTokenCount",
    "totalTokenCount",
}
_MORE = {  # figures of Gemini alone
    "toolUsePromptTokenCount",
    "promptTokensDetails",
    "cacheTokensDetails",
    "candidatesTokensDetails",
    "toolUsePromptTokensDetails",
    "trafficType",
    "serviceTier",
}


def written_usage(usage: Usage) -> Json:
    """A ``usageMetadata``."""
    extra = {name: value for name, value in (usage.extra or {}).items() if name in _MORE}
    tools = _count(extra, "toolUsePromptTokenCount") or 0
    told = {
        "promptTokenCount": max((usage.input or 0) - tools, 0),
        "candidatesTokenCount": max((usage.output or 0) - (usage.reasoning or 0), 0),
        "thoughtsTokenCount": usage.reasoning or None,
        "cachedContentTokenCount": usage.cache_read or None,
        "totalTokenCount": (usage.input or 0) + (usage.output or 0),
    }
    return written(told, extra or None)


def created_of(value: object) -> int:
    """Seconds since the epoch of a ``createTime``; 0: it is none."""
    try:
        return int(datetime.fromisoformat(value).timestamp()) if isinstance(value, str) else 0
    except ValueError:
        return 0


def written_created(seconds: int) -> str | None:
    """A ``createTime``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else None


def response_of(text: str, *, failed: bool) -> Json:
    """What a function returned, under the names that Gemini documents."""
    return {"error" if failed else "output": text}


def logprobs_of(told: object) -> Json | None:
    """A ``logprobsResult`` as OpenAI chat has it."""
    result = object_or_none(told) or {}
    chosen, top = list_or_none(result.get("chosenCandidates")), list_or_none(result.get("topCandidates")) or []
    if chosen is None:
        return None
    content: list[Json] = []
    for number, one in enumerate(chosen):
        others = (object_or_none(top[number]) or {}).get("candidates") if number < len(top) else None
        content.append({**_token(one), "top_logprobs": [_token(other) for other in list_or_none(others) or ()]})
    return {"content": content, "refusal": None}


def written_logprobs(told: object) -> Json | None:
    """A ``logprobsResult``."""
    content = list_or_none((object_or_none(told) or {}).get("content"))
    if not content:
        return None
    tokens = [object_or_none(one) or {} for one in content]
    return {
        "chosenCandidates": [_candidate(one) for one in tokens],
        "topCandidates": [
            {"candidates": [_candidate(other) for other in one.get("top_logprobs") or ()]} for one in tokens
        ],
    }


def _token(told: object) -> Json:
    one = object_or_none(told) or {}
    token = str(one.get("token", ""))
    return {"token": token, "logprob": one.get("logProbability") or 0, "bytes": [*token.encode("utf-8", "replace")]}


def _candidate(told: Json) -> Json:
    return {"token": told.get("token"), "logProbability": told.get("logprob")}


def _audio(told: Json, name: str) -> int | None:
    for one in list_or_none(told.get(name)) or ():
        part = object_or_none(one) or {}
        if part.get("modality") == "AUDIO":
            return _count(part, "tokenCount")
    return None


def _count(told: Json, name: str) -> int | None:
    value = told.get(name)
    return value if type(value) is int else None


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other
