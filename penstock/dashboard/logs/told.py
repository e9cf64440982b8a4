"""What a row tells, in sentences and bars. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from penstock.core import codec
from penstock.dashboard.rendering import about, dollars, millis, number, plain

MOST = 200  # entries of one list

Members = Mapping[str, Any]


def decisions(told: Mapping[str, Members]) -> list[tuple[str, str]]:
    """A title and a sentence for each feature that was in effect."""
    return [
        (title, plain(_told(sentence, told[name]))) for name, (title, sentence) in _SENTENCES.items() if name in told
    ]


def _told(sentence: Callable[[Members], str], of: Members) -> str:
    try:
        return sentence(of)
    except (LookupError, TypeError, ValueError):  # a row of an older release lacks a member
        return codec.encode(of).decode()


def _limit(of: Members) -> str:
    window = f"{of['limit']} in {of['interval']} seconds ({of['technique']} window)"
    if "retry_after" in of:
        return f"Refused: all {window} were taken; there was to be a place in {of['retry_after']:.1f} seconds."
    known = of["by"] in ("memory", "redis", "database")
    counted = (
        f"counted by {of['by']}" if known else f"the counter was away, so that what holds then was done: {of['by']}"
    )
    return f"Let in as call {of['used']} of {window}, {counted}."


def _key(of: Members) -> str:
    source = {"byok": "a key that is stored in the gateway", "wholesale": "a key of the configuration"}[of["source"]]
    alias = f" ({of['alias']})" if of.get("alias") else ""
    kept = " The provider was asked not to keep the request." if of.get("zero_retention") else ""
    return f"The request travelled with {source}{alias}.{kept}"


def _cache(of: Members) -> str:
    if of["status"] == "HIT":
        saved = number(of.get("saved_tokens_in", 0) + of.get("saved_tokens_out", 0))
        money = f" and {dollars(of['saved_cost'])}" if of.get("saved_cost") is not None else ""
        if of.get("shared"):
            return f"Answered with the answer of an identical call that was still running; saved {saved} tokens{money}."
        age = f", {of['age']:,.0f} seconds old" if of.get("age") is not None else ""
        return f"Answered by the cache{age}; saved {saved} tokens{money}. Answers are kept for {of['ttl']:,} seconds."
    if of.get("skipped"):
        return f"The client asked for a fresh answer, which the cache keeps for {of['ttl']:,} seconds."
    return f"The cache had no answer to it. A good one is kept for {of['ttl']:,} seconds."


def _spend(of: Members) -> str:
    limits = ", ".join(of["limits"][:MOST]) or "no limit"
    reserved = f"{about(of['reserved'])} was reserved" if of["reserved"] else "its price was not known beforehand"
    if of.get("exceeded"):
        return f"Refused: the limit {of['exceeded']} did not cover it ({reserved}; limits: {limits})."
    return f"The limits on money covered it ({limits}); {reserved}."


def _translation(of: Members) -> str:
    lost = ", ".join(of.get("lost", [])[:MOST])
    without = f" Left out, since the provider has no place for it: {lost}." if lost else " Nothing was lost."
    return f"Translated from {of['client']} to {of['provider']} and back.{without}"


def _route(of: Members) -> str:
    way = ", ".join(f"{visit.get('element', '?')} → {visit.get('output', '?')}" for visit in of.get("path", [])[:MOST])
    why = f" {of['why']}." if of.get("why") else ""
    through = f" by way of {way}" if way else ""
    return f"The route {of['name']} (version {of['version']}) led to its element {of['element']}{through}.{why}"


_SENTENCES: dict[str, tuple[str, Callable[[Members], str]]] = {
    "limit": ("Rate limit", _limit),
    "token": ("Rate limit of the token", _limit),
    "spend": ("Limits on money", _spend),
    "key": ("Key", _key),
    "cache": ("Cache", _cache),
    "route": ("Dynamic route", _route),
    "translation": ("Translation", _translation),
}


class Bar(NamedTuple):
    """A stretch of a call's time: where it begins and how long it is, in milliseconds."""

    label: str
    start: float
    length: float
    note: str = ""


def bars(timings: Mapping[str, float], attempts: Sequence[Members]) -> tuple[list[Bar], float]:
    """The stretches, and what all of them lie in."""
    found = list(_bars(timings, attempts))
    return found, max((bar.start + bar.length for bar in found), default=0.0)


def _bars(timings: Mapping[str, float], attempts: Sequence[Members]) -> Iterator[Bar]:
    total = timings.get("total", 0.0)
    yield Bar("Whole call", 0, total)
    if (first := timings.get("latency")) is not None:
        yield Bar("To the first byte", 0, min(first, total))
        yield Bar("The rest of the answer", first, max(0.0, total - first))
    for place, attempt in enumerate(attempts[:MOST], start=1):
        status = attempt.get("status")
        note = str(status if status is not None else attempt.get("error") or "")
        waited = f", after {millis(attempt['waited'])} of waiting" if attempt.get("waited") is not None else ""
        label = f"Attempt {place}: {plain(attempt['provider'])}"
        yield Bar(label, attempt["began"], attempt.get("duration", 0.0), plain(note) + waited)
