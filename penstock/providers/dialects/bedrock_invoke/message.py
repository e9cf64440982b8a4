"""The text that the events of a stored stream of an invoked model make together, of families with no other events.

Streams of Claude, Nova and those shaped as OpenAI's are told by the dialects of these.
"""

from typing import Any

from penstock.providers.dialects._shapes.message import Members, Texts, take_each

_MEMBERS = ("generation", "outputText")  # of Llama, of Titan: a piece of the text
_METRICS = b'"amazon-bedrock-invocationMetrics"'  # in the last event
_REASONS = ("stop_reason", "completionReason")


def message(chunks: list[bytes]) -> Members | None:
    """``chunks``: the data of each event. None: this is no such stream."""
    if not any(_METRICS in chunk for chunk in chunks[-2:]):
        return None
    made = Texts()

    def take(event: Any) -> None:
        for member in _MEMBERS:
            if isinstance(text := event.get(member), str):
                made.grow(member, text)
        for member in _REASONS:
            if reason := event.get(member):
                made[member] = reason

    take_each(chunks, take)
    return made.joined() if any(member in made for member in _MEMBERS) else None
