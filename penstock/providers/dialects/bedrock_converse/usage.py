"""What an answer of Converse used, and what it calls its figures."""

from typing import cast

from penstock.core.codec import Raw
from penstock.model.usage import Reported, Used
from penstock.providers.accounting import Figures, Said, members_of
from penstock.providers.dialects._shapes.bodies import read, read_edges
from penstock.providers.dialects._shapes.values import NO_OBJECT, name, present, short, usage_of
from penstock.providers.dialects.bedrock_converse.shapes import (
    Answer,
    decode_answer,
    decode_router,
    decode_tier,
    decode_trace,
)
from penstock.providers.kinds import CACHE_READ, CACHE_WRITE, CACHE_WRITE_1H

_MEMBERS = (b"usage", b"serviceTier", b"performanceConfig", b"trace")


def reported(body: bytes) -> Reported:
    """What a complete, decoded answer says of itself."""
    return told(read(body, decode_answer, _MEMBERS))


def reported_edges(head: bytes, tail: bytes) -> Reported:
    """The same of an answer of which only the beginning and the end are here."""
    return told(read_edges(head, tail, decode_answer, _MEMBERS))


def told(answer: Answer | None) -> Reported:
    """The same of the members that are read."""
    if answer is None:
        return Reported(unread=NO_OBJECT)
    raw, unread = usage_of(answer.usage)
    error = not raw and not unread and not len(answer.output) and present(answer.message)
    latency = _inner(answer.performance_config, "latency")
    return Reported(
        _routed(answer.trace),
        raw,
        error,
        tier=_inner(answer.service_tier, "type"),
        terms=(f"latency={latency}",) if latency else (),
        unread=unread,
    )


def _inner(raw: Raw, member: str) -> str:
    tier = read(short(raw), decode_tier, ())
    return name(getattr(tier, member)) if tier is not None else ""


def _routed(raw: Raw) -> str:
    """The model that a prompt router has chosen, without what its ARN begins with; empty: there was no router."""
    trace = read(short(raw), decode_trace, ())
    router = read(short(trace.prompt_router), decode_router, ()) if trace is not None else None
    return name(router.invoked_model_id).rpartition("/")[2] if router is not None else ""


def _by_life(said: Said) -> list[Used]:
    """Makes the list of the cache's writes an object: tokens by how long they are kept."""
    details = said.get("cacheDetails")
    if isinstance(details, list):
        writes = [members_of(one) for one in cast("list[object]", details)]
        said["cacheDetails"] = {one["ttl"]: one.get("inputTokens") for one in writes if isinstance(one.get("ttl"), str)}
    return []


FIGURES = Figures(
    ("inputTokens",),
    ("outputTokens",),
    "totalTokens",
    {
        "cacheReadInputTokens": CACHE_READ,
        "cacheReadInputTokenCount": CACHE_READ,  # as it was called at first
        "cacheWriteInputTokens": CACHE_WRITE,
        "cacheWriteInputTokenCount": CACHE_WRITE,
        "cacheDetails.1h": CACHE_WRITE_1H,  # part of the writes
    },
    beside=frozenset({CACHE_READ, CACHE_WRITE}),
    more=_by_life,
)
