"""An answer to a client that speaks Anthropic messages."""

from typing import Any

from penstock.core import ids
from penstock.core.codec import encode
from penstock.model.chat import Answer, Call, Candidate, ChatRequest, Native, Part, Reasoning, Refusal, Text
from penstock.providers.dialects._shapes.members import object_text, written
from penstock.providers.dialects.anthropic.chat.marks import marked
from penstock.providers.dialects.anthropic.chat.words import NAME, word_of, written_usage
from penstock.providers.dialects.anthropic.chat.write_turns import call_id, cited

Json = dict[str, Any]


def write_answer(answer: Answer, asked: ChatRequest) -> bytes:
    """Complete as the published schema has it. It has one candidate."""
    candidate = answer.candidates[0] if answer.candidates else Candidate([])
    kinds = {type(part) for part in candidate.content}
    extra = candidate.extra or {}
    told = {
        "id": answer_id(answer.id),
        "type": "message",
        "role": "assistant",
        "model": answer.model or asked.model,
        "content": [block for part in candidate.content if (block := _block(part)) is not None],
        "stop_reason": word_of(candidate.stop, extra, called=Call in kinds, refused=Refusal in kinds),
        "stop_sequence": candidate.sequence or None,
        "usage": written_usage(answer.usage),
    }
    if (details := extra.get("stop_details")) is not None:
        told["stop_details"] = details
    return encode(told)


def answer_id(told: str) -> str:
    """The provider's own id; where it has none, one of ours."""
    return told or f"msg_{ids.new().hex()}"


def answered_id(told: str) -> str:
    """The same for a call: its result has to find it in the next turn."""
    return call_id(told) if told else f"toolu_{ids.new().hex()}"


def _block(part: Part) -> Json | None:
    match part:
        case Text() if part.text:
            citations = [cited(one) for one in part.citations or ()]
            text = {"type": "text", "text": part.text, "citations": citations or None}
            return written({**text, "signature": part.signature or None})
        case Refusal():
            return {"type": "text", "text": part.text}
        case Reasoning():
            return thought(part)
        case Call():
            told: Json = {"type": "tool_use", "id": answered_id(part.id), "name": part.name}
            told["input"] = {"input": part.arguments} if part.free else object_text(part.arguments)
            return written({**told, "signature": part.signature or None, "caller": (part.extra or {}).get("caller")})
        case Native() if part.dialect == NAME:
            return part.value
        case _:
            return None


def thought(part: Reasoning) -> Json:
    """Thinking, with a signature of whatever dialect; without any text, what only its provider can read."""
    mark = marked(part.origin, part.id, part.signature, part.sealed)
    if part.sealed and not part.text:
        return {"type": "redacted_thinking", "data": mark}
    return {"type": "thinking", "thinking": part.text, "signature": mark}
