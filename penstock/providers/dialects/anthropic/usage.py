"""What an answer of Anthropic messages used, and what it calls its figures."""

from typing import cast

from penstock.model.usage import Reported, Used
from penstock.providers.accounting import Figures, Said, members_of
from penstock.providers.dialects._shapes.bodies import read, read_edges
from penstock.providers.dialects._shapes.values import NO_OBJECT, name, usage_of
from penstock.providers.dialects.anthropic.errors import is_error
from penstock.providers.dialects.anthropic.shapes import Message, decode_message
from penstock.providers.kinds import CACHE_READ, CACHE_WRITE, CACHE_WRITE_1H, INPUT, OUTPUT, REASONING, RUN, WEB_SEARCH

_MEMBERS = (b"model", b"usage", b"error", b"type")


def reported(body: bytes) -> Reported:
    """What a complete, decoded answer says of itself."""
    return _told(read(body, decode_message, _MEMBERS))


def reported_edges(head: bytes, tail: bytes) -> Reported:
    """The same of an answer of which only the beginning and the end are here."""
    return _told(read_edges(head, tail, decode_message, _MEMBERS))


def _told(answer: Message | None) -> Reported:
    if answer is None:
        return Reported(unread=NO_OBJECT)
    raw, unread = usage_of(answer.usage)
    return Reported(name(answer.model), raw, is_error(answer), unread=unread)


def _more(said: Said) -> list[Used]:
    """What the two main figures leave out: the runs of the model that made the conversation shorter, and others'.

    Fills in the sum of the cache's writes where only its parts are told.
    """
    if not said.get("cache_creation_input_tokens") and (created := members_of(said.get("cache_creation"))):
        parts = [created.get(f"ephemeral_{life}_input_tokens") for life in ("5m", "1h")]
        said["cache_creation_input_tokens"] = sum(part for part in parts if type(part) is int and part > 0)
    runs = said.get("iterations")
    return (
        [used for at, run in enumerate(cast("list[object]", runs)) for used in _run(members_of(run), at)]
        if isinstance(runs, list)
        else []
    )


def _run(run: Said, at: int) -> list[Used]:
    if run.get("type") in ("message", None):
        return []  # the main figures have it
    model = run.get("model")
    attributes = (("model", model),) if isinstance(model, str) else ((RUN, str(at)),)
    hour = members_of(run.get("cache_creation")).get("ephemeral_1h_input_tokens")
    told = {
        INPUT: run.get("input_tokens"),
        OUTPUT: run.get("output_tokens"),
        CACHE_READ: run.get("cache_read_input_tokens"),
        CACHE_WRITE: run.get("cache_creation_input_tokens"),
        CACHE_WRITE_1H: hour,
    }
    counts = {kind: count for kind, count in told.items() if type(count) is int and count > 0}
    if CACHE_WRITE_1H in counts:
        counts[CACHE_WRITE] = counts.get(CACHE_WRITE, 0) - counts[CACHE_WRITE_1H]
    return [Used(kind, count, attributes) for kind, count in counts.items() if count > 0]


FIGURES = Figures(
    ("input_tokens",),
    ("output_tokens",),
    "total_tokens",  # of those who speak it too
    {
        "cache_read_input_tokens": CACHE_READ,
        "cache_creation_input_tokens": CACHE_WRITE,
        "cache_creation.ephemeral_1h_input_tokens": CACHE_WRITE_1H,  # part of the writes
        "output_tokens_details.thinking_tokens": REASONING,
        "server_tool_use.web_search_requests": WEB_SEARCH,
    },
    beside=frozenset({CACHE_READ, CACHE_WRITE}),
    terms=("service_tier", "inference_geo", "speed"),
    more=_more,
)
