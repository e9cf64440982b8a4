"""An answer of a provider that speaks Anthropic messages.

https://platform.claude.com/docs/en/api/messages/create
"""

from penstock.core.errors import MalformedChat
from penstock.model.chat import Answer, Candidate
from penstock.providers.dialects._shapes.members import members_of, object_or_none
from penstock.providers.dialects.anthropic.chat.read_turns import content_of
from penstock.providers.dialects.anthropic.chat.words import stop_of, tier_of, told_stop, usage_of


def read_answer(body: bytes) -> Answer:
    """Raises MalformedChat where it is none."""
    told = members_of(body)
    if told.left.get("content") is None:
        raise MalformedChat("content: is missing.")
    usage = object_or_none(told.any("usage"))
    extra = told_stop(told.left)
    candidate = Candidate(
        content_of(told, "content"), stop_of(told.text("stop_reason")), told.text("stop_sequence"), extra=extra
    )
    tier = (usage or {}).get("service_tier")
    return Answer(
        told.text("id"),
        told.text("model"),
        [candidate],
        None if usage is None else usage_of(usage),
        service_tier=tier_of(tier) if type(tier) is str else "",
    )
