"""What features decided about a step. The log row, the API and the header ``cf-aig-explain`` show it as it is here."""

import msgspec

from penstock.model.graph import Visit

HIT, MISS = "HIT", "MISS"


class LimitDecision(msgspec.Struct, omit_defaults=True):
    """The rate limit of a call. ``used``: places taken, including this call's if it was let in.

    ``by``: who counted: ``memory``, ``redis``; what was done while Redis was away: ``count``, ``allow``, ``refuse``.
    ``retry_after``: seconds until a place is free; only if none was.
    """

    technique: str
    interval: int
    limit: int
    used: int
    by: str
    retry_after: float | None = None


class SpendDecision(msgspec.Struct, omit_defaults=True):
    """The limits on money that hold for a step. ``reserved``: what it may cost, US dollars (0: that is not known).

    ``exceeded``: the one of ``limits`` that does not cover it; empty: all do.
    """

    reserved: float
    limits: list[str]
    exceeded: str = ""


class KeyDecision(msgspec.Struct, omit_defaults=True):
    """The key of ours that a step's request travels with. ``source``: byok or wholesale; ``alias``: of a stored key.

    Byok without an alias: the headers of a provider of the account's own. ``zero_retention``: the provider was asked
    not to keep the request.
    """

    source: str
    alias: str = ""
    zero_retention: bool = False


class TranslationDecision(msgspec.Struct, omit_defaults=True):
    """The dialects of a call's two sides, where they differ. ``lost``: members that the provider's has no place for."""

    client: str
    provider: str
    lost: list[str] = []


class RouteDecision(msgspec.Struct, omit_defaults=True):
    """The dynamic route of a call. ``element``: the model that this step asks; ``path``: the elements before it.

    ``why``: what decided between the element's targets; empty: there was nothing to decide.
    """

    name: str
    version: str
    element: str
    path: list[Visit] = []
    why: str = ""


class CacheDecision(msgspec.Struct, omit_defaults=True):
    """The caching of a step. ``status``: HIT or MISS; ``key``: hexadecimal; ``ttl``: seconds.

    A hit has its ``age`` in seconds, and what it saved: tokens, and US dollars if the price is known.
    ``shared``: the answer came from a call that was still running. ``skipped``: the client asked for a fresh answer.
    """

    status: str
    key: str
    ttl: int
    age: float | None = None
    shared: bool = False
    skipped: bool = False
    saved_tokens_in: int = 0
    saved_tokens_out: int = 0
    saved_cost: float | None = None


class Decisions(msgspec.Struct, omit_defaults=True):
    """The decisions about one step. The feature that decides sets its member; None: it was not in effect.

    What is decided once for a call is set on the call's first step, before that runs; further steps begin with it.
    """

    limit: LimitDecision | None = None
    token: LimitDecision | None = None  # the limit of the token that came
    key: KeyDecision | None = None
    cache: CacheDecision | None = None
    translation: TranslationDecision | None = None
    route: RouteDecision | None = None
    spend: SpendDecision | None = None
