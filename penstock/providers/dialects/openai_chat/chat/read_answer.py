"""An answer of a provider that speaks OpenAI chat.

https://platform.openai.com/docs/api-reference/chat/object
"""

from penstock.model.chat import Answer, Call, Candidate, Refusal, StopReason
from penstock.providers.dialects._shapes.members import Members, members_of, object_or_none
from penstock.providers.dialects.openai_chat.chat.read_turns import answer_of
from penstock.providers.dialects.openai_chat.chat.words import stop_of, usage_of


def read_answer(body: bytes) -> Answer:
    """Raises MalformedChat and LookupError where it is none."""
    told = members_of(body)
    if "choices" not in told.left:
        raise LookupError("choices")
    told.any("object")
    usage = object_or_none(told.any("usage"))
    return Answer(
        told.text("id"),
        told.text("model"),
        [_candidate(choice) for choice in told.objects("choices")],
        None if usage is None else usage_of(usage),
        told.whole("created") or 0,
        told.text("service_tier"),
        told.rest(),
    )


def _candidate(choice: Members) -> Candidate:
    message = choice.object("message")
    content = answer_of(message) if message else []
    stop = stop_of(choice.text("finish_reason"))
    if stop == StopReason.END and any(type(part) is Call for part in content):
        stop = StopReason.TOOLS  # a tool that was asked for by name ends with "stop"
    elif stop == StopReason.END and any(type(part) is Refusal for part in content):
        stop = StopReason.REFUSAL
    return Candidate(content, stop, index=choice.whole("index") or 0, logprobs=choice.any("logprobs"))
