"""An answer to a client that speaks OpenAI chat."""

import time
from typing import Any

from penstock.core import ids
from penstock.core.codec import encode
from penstock.model.chat import Answer, Candidate, ChatRequest, Citation, Notes, Text
from penstock.providers.dialects._shapes.members import list_or_none, written
from penstock.providers.dialects.openai_chat.chat.words import word_of, written_usage
from penstock.providers.dialects.openai_chat.chat.write_turns import annotations, said


def write_answer(answer: Answer, asked: ChatRequest) -> bytes:
    """Complete as the published schema has it."""
    told = {
        "id": answer_id(answer.id),
        "object": "chat.completion",
        "created": answer.created or int(time.time_ns() // 1_000_000_000),
        "model": answer.model or asked.model,
        "choices": [_choice(candidate) for candidate in answer.candidates],
        "usage": None if answer.usage is None else written_usage(answer.usage),
        "service_tier": answer.service_tier or None,
    }
    return encode(written(told))


def answer_id(told: str) -> str:
    """The provider's own id; where it has none, one of ours."""
    return told or f"chatcmpl-{ids.text(ids.new())}"


def _choice(candidate: Candidate) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    message |= {name: value for name, value in said(candidate.content, Notes()).items() if value is not None}
    if (parts := list_or_none(message["content"])) is not None:  # an answer's content is a text
        message["content"] = "".join([str(part.get("text", "")) for part in parts])
    if cited := _cited(candidate):
        message["annotations"] = annotations(cited)
    return {
        "index": candidate.index,
        "message": message,
        "logprobs": candidate.logprobs,
        "finish_reason": word_of(candidate.stop, refused=bool(message["refusal"])),
    }


def _cited(candidate: Candidate) -> list[Citation]:
    """Citations of all texts; their places are those in the whole content."""
    found: list[Citation] = []
    before = 0
    for part in candidate.content:
        if type(part) is not Text:
            continue
        for one in part.citations or ():
            start = before + (one.start or 0)
            end = before + (len(part.text) if one.end is None else one.end)
            found.append(Citation(one.url, one.title, one.quoted, start, end))
        before += len(part.text)
    return found
