"""An answer of a provider that speaks OpenAI responses.

https://platform.openai.com/docs/api-reference/responses/object
"""

from typing import Any

from penstock.model.chat import Answer, Call, Candidate, Part, Refusal, Text
from penstock.providers.dialects._shapes.members import list_or_none, members_of, object_or_none
from penstock.providers.dialects.openai_responses.chat.read_items import turns_of
from penstock.providers.dialects.openai_responses.chat.words import stop_of, usage_of


def read_answer(body: bytes) -> Answer:
    """Raises MalformedChat and LookupError where it is none."""
    told = members_of(body)
    if "output" not in told.left:
        raise LookupError("output")
    content = [part for turn in turns_of([*told.objects("output")]) for part in turn.content]
    usage = object_or_none(told.any("usage"))
    stop = stop_of(
        told.left,
        calls=any(type(part) is Call for part in content),
        refused=any(type(part) is Refusal for part in content),
    )
    return Answer(
        told.text("id"),
        told.text("model"),
        [Candidate(content, stop, logprobs=_logprobs(content))],
        None if usage is None else usage_of(usage),
        int(told.number("created_at") or 0),
        told.text("service_tier"),
    )


def _logprobs(content: list[Part]) -> Any:
    """Those of all texts, as OpenAI chat has them."""
    tokens: list[Any] = []
    for part in content:
        if type(part) is Text and part.extra is not None:
            tokens += list_or_none(part.extra.pop("logprobs", None)) or []
    return chat_logprobs(tokens)


def chat_logprobs(tokens: list[Any]) -> Any:
    """As OpenAI chat has them; None: there are none."""
    blank: dict[str, Any] = {"bytes": None, "top_logprobs": []}
    told = [blank | token for token in map(object_or_none, tokens) if token is not None]
    return {"content": told, "refusal": None} if told else None
