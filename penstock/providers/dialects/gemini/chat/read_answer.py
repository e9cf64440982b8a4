"""An answer of Gemini.

https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
"""

from penstock.core import ids
from penstock.model.chat import Answer, Call, Candidate, Part, StopReason, Text
from penstock.providers.dialects._shapes.members import Members, members_of, object_or_none
from penstock.providers.dialects.gemini.chat.grounding import citations_of
from penstock.providers.dialects.gemini.chat.read_parts import parts_of
from penstock.providers.dialects.gemini.chat.words import MADE, created_of, logprobs_of, stop_of, usage_of, word_of


def read_answer(body: bytes) -> Answer:
    """Raises MalformedChat where it is none. A prompt that was blocked has one candidate, without content."""
    told = members_of(body)
    usage = object_or_none(told.any("usageMetadata"))
    candidates = [_candidate(one) for one in told.objects("candidates")]
    if not candidates:
        if not object_or_none(told.left.get("promptFeedback")):
            told.refuse("candidates", list)
        candidates = [Candidate([], StopReason.FILTER)]
    return Answer(
        told.text("responseId"),
        told.text("modelVersion"),
        candidates,
        None if usage is None else usage_of(usage),
        created_of(told.any("createTime")),
        extra=told.rest(),
    )


def made() -> str:
    """An id for a call that has none."""
    return MADE + ids.text(ids.new())


def _candidate(told: Members) -> Candidate:
    content = told.object("content")
    parts = parts_of(content, made) if content else []
    if (grounding := object_or_none(told.left.get("groundingMetadata"))) is not None:
        _cite(parts, grounding)
    word = told.text("finishReason")
    stop = stop_of(word, calls=any(type(part) is Call for part in parts))
    logprobs = logprobs_of(told.any("logprobsResult"))
    if word and word_of(stop) != word:
        told.left["finishReason"] = word  # stays in what Gemini alone has
    return Candidate(parts, stop, index=told.whole("index") or 0, logprobs=logprobs, extra=told.rest())


def _cite(parts: list[Part], grounding: dict[str, object]) -> None:
    """The places are those in the only text, as answers that are grounded have it, or else the first."""
    text = next((part for part in parts if type(part) is Text), None)
    if text is not None:
        text.citations = citations_of(grounding, text.text) or None
