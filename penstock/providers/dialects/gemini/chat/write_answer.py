"""An answer to a client that speaks Gemini."""

from typing import Any

from penstock.core import ids
from penstock.core.codec import encode
from penstock.model.chat import Answer, Candidate, ChatRequest, Citation, Extra, Notes, StopReason, Text
from penstock.providers.dialects._shapes.members import written
from penstock.providers.dialects.gemini.chat.grounding import written_grounding
from penstock.providers.dialects.gemini.chat.words import word_of, written_created, written_logprobs, written_usage
from penstock.providers.dialects.gemini.chat.write_turns import Way, parts_of

Json = dict[str, Any]
_OWN = {"promptFeedback", "modelStatus"}  # members that Gemini alone has, of an answer and of a candidate
_CANDIDATE = {
    "finishReason",
    "finishMessage",
    "safetyRatings",
    "citationMetadata",
    "groundingMetadata",
    "urlContextMetadata",
    "avgLogprobs",
    "tokenCount",
    "continuationToken",
}


def write_answer(answer: Answer, asked: ChatRequest) -> bytes:
    """Complete as the published schema has it."""
    own = _only(answer.extra, _OWN)
    blocked = "promptFeedback" in own and all(
        one.stop == StopReason.FILTER and not one.content for one in answer.candidates
    )
    told = {
        "candidates": None if blocked else [_candidate(one) for one in answer.candidates],
        "usageMetadata": None if answer.usage is None else written_usage(answer.usage),
        **head(answer.id, answer.model or asked.model, answer.created),
    }
    return encode(written(told, own))


def head(name: str, model: str, created: int) -> Json:
    """What an answer, and each piece of a streamed one, says of itself. An id of ours where the provider has none."""
    made = name or ids.text(ids.new())
    return written({"modelVersion": model or None, "responseId": made, "createTime": written_created(created)})


def finished(
    stop: str, index: int, extra: Extra, grounding: Json | None = None, parts: list[Json] | None = None
) -> Json:
    """A candidate at its end."""
    told = {
        "content": {"role": "model", "parts": [] if parts is None else parts},
        "finishReason": word_of(stop) if stop else None,
        "index": index,
        "groundingMetadata": grounding,
    }
    return written(told, _only(extra, _CANDIDATE))


def _candidate(candidate: Candidate) -> Json:
    parts = parts_of(candidate.content, Way(Notes(), own=False, answer=True))
    cited: list[Citation] = []
    text = ""
    for part in candidate.content:
        if type(part) is Text:
            cited += [moved(one, len(text), len(part.text)) for one in part.citations or ()]
            text += part.text
    told = finished(candidate.stop, candidate.index, candidate.extra, written_grounding(cited, text), parts)
    return written({**told, "logprobsResult": written_logprobs(candidate.logprobs)})


def moved(one: Citation, before: int, length: int) -> Citation:
    """A citation of a text of that length, in the text of the whole candidate."""
    end = before + (length if one.end is None else one.end)
    return Citation(one.url, one.title, one.quoted, before + (one.start or 0), end)


def _only(extra: Extra, names: set[str]) -> Json:
    return {name: value for name, value in (extra or {}).items() if name in names}
