"""What an answer of Gemini used, and what it calls its figures."""

from typing import cast

from penstock.model.usage import Reported, Used
from penstock.providers.accounting import Figures, Said, members_of
from penstock.providers.dialects._shapes.values import NO_OBJECT
from penstock.providers.dialects.gemini import listed
from penstock.providers.dialects.gemini.stream import Reader
from penstock.providers.kinds import CACHE_READ, MEDIA, REASONING

_TIERS = {"on_demand": "standard", "on_demand_flex": "flex", "on_demand_priority": "priority"}  # as Vertex names them


def reported(body: bytes) -> Reported:
    """What a complete, decoded answer says of itself; a stream's list may have been cut."""
    reader = Reader()
    if not listed.is_list(body):
        return _told(reader, found=reader.take(body), complete=True)
    return _told(reader, found=sum(map(reader.take, listed.latest(body))) > 0)


def reported_edges(head: bytes, tail: bytes) -> Reported:
    """The same of an answer of which only the beginning and the end are here."""
    reader = Reader()
    if listed.is_list(head):
        return _told(reader, found=sum(map(reader.take, listed.latest(tail, whole=False))) > 0)
    return _told(reader, found=reader.take_edges(head, tail), complete=True)


def _told(reader: Reader, *, found: bool, complete: bool = False) -> Reported:
    told = reader.reported()
    told.complete = told.complete or complete
    told.unread = told.unread if found else NO_OBJECT
    return told


def _more(said: Said) -> list[Used]:
    """Makes the object one as ``FIGURES`` has it: the results of tools are input, and lists of modalities objects.

    What of a modality came from the cache is no longer in that of the prompt, nor in the cached count of all.
    """
    tools = said.get("toolUsePromptTokenCount")
    if type(tools) is int and tools > 0:
        into = said.get("promptTokenCount")
        said["promptTokenCount"] = tools + into if type(into) is int else into or tools
    into = _media(said, "promptTokensDetails", "promptTokenDetails", "toolUsePromptTokensDetails")
    cached = _media(said, "cacheTokensDetails")
    for medium, count in cached.items():
        for counts, name in ((into, medium), (said, "cachedContentTokenCount")):
            if type(whole := counts.get(name)) is int and type(count) is int:
                counts[name] = max(0, whole - count)
    out = _media(said, "candidatesTokensDetails")
    said |= {"promptTokensDetails": into, "cacheTokensDetails": cached, "candidatesTokensDetails": out}
    tier = said.get("serviceTier") or said.get("trafficType")
    if isinstance(tier, str):
        said["service_tier"] = _TIERS.get(tier.lower(), tier.lower())
    return []


def _media(said: Said, *names: str) -> Said:
    """The tokens of audio, images and video in these lists, whose members name a modality each."""
    counts: Said = {}
    for name in names:
        told = said.get(name)
        for part in cast("list[object]", told) if isinstance(told, list) else ():
            members = members_of(part)
            modality, count = members.get("modality"), members.get("tokenCount")
            if isinstance(modality, str) and (medium := modality.lower()) in MEDIA:
                before = counts.get(medium, 0)
                counts[medium] = before + count if type(before) is type(count) is int else count
    return counts


FIGURES = Figures(
    ("promptTokenCount",),
    ("candidatesTokenCount",),
    "totalTokenCount",
    {
        "cachedContentTokenCount": CACHE_READ,
        "thoughtsTokenCount": REASONING,
        **{f"promptTokensDetails.{medium}": f"input_{medium}" for medium in MEDIA},
        **{f"cacheTokensDetails.{medium}": f"cache_read_{medium}" for medium in MEDIA},
        **{f"candidatesTokensDetails.{medium}": f"output_{medium}" for medium in MEDIA},
    },
    beside=frozenset({REASONING}),
    terms=("service_tier",),
    more=_more,
)
