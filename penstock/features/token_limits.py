"""What a token lets its holder do: how often it calls, and which models. Holds a call to the token that came with it.

Ends a call that is over its token's rate limit (429/2003), and a step whose model the token may not call (403/2011).
Whose calls have a budget does not say what they cost. A call without a token, and one whose token limits nothing,
passes. Decides ``token``.

Models are looked at before the cache is asked, so that nobody gets an answer of a model that is not for them.
"""

import math
import re

from msgspec.structs import replace

from penstock.core.errors import ModelNotAllowed, Overloaded, RateLimited
from penstock.core.telemetry import Telemetry
from penstock.model.decision import LimitDecision
from penstock.model.exchange import Exchange
from penstock.model.step import Step
from penstock.model.token import Token
from penstock.ports.counters import Counters
from penstock.providers.dialects import WHOLE
from penstock.providers.named import may_call

_ESCAPED = re.compile(rb"\\u00(?:6[cdfCDF45])")  # a letter of "model", which nobody writes so who means well
_SHOWN = 128  # characters of a model's name that a client chose
_FEW = 20  # patterns that a refusal lists


class TokenLimits:
    """One stage for all gateways."""

    __slots__ = ("_count", "_counters")

    def __init__(self, counters: Counters, telemetry: Telemetry) -> None:
        self._counters = counters
        self._count = telemetry.rate_limited

    async def admit(self, ex: Exchange) -> None:
        """Takes a place for the call. Raises RateLimited; Overloaded where nobody may count."""
        token = ex.caller.bearer
        if token is None or (limit := token.rate_limit) is None:
            return
        taken = await self._counters.take(f"token:{token.id}", limit)
        decision = LimitDecision(limit.technique, limit.interval, limit.limit, taken.used, taken.by)
        ex.step.decisions.token = decision
        if taken.given:
            return
        decision.retry_after = round(taken.wait, 3)
        if taken.by == "refuse":
            raise Overloaded(
                f"The gateway cannot count the calls of token {token.name!r} while Redis is away, and lets none in "
                "uncounted; try again."
            )
        self._count.add((ex.request.account, ex.request.gateway))
        wait = max(1, math.ceil(taken.wait))
        raise RateLimited(
            f"Rate limited: token {token.name!r} may make {limit.limit} calls in {limit.interval} seconds; try again "
            f"in {wait} s.",
            retry_after=wait,
        )

    def sees(self, step: Step) -> bool:
        """Whether the whole body is needed: it names the model."""
        token = step.ex.caller.bearer
        return token is not None and token.models is not None and not (step.target is not None and step.target.model)

    def check(self, step: Step) -> None:
        """Takes away the call's own prices where it has a budget. Raises ModelNotAllowed."""
        token = step.ex.caller.bearer
        if token is None:
            return
        if token.budget is not None and step.options.cost is not None:
            step.options = replace(step.options, cost=None)
            step.warnings.append("cf-aig-custom-cost: ignored, as the token has a budget")
        if token.models is None:
            return
        target = step.target
        assert target is not None
        model = target.model or ("" if _may_name_several(step) else step.request.asked.model)
        if not may_call(token.models, target.upstream.provider, model):
            raise ModelNotAllowed(_sentence(token, token.models, target.provider, model))


def _may_name_several(step: Step) -> bool:
    """Whether the body is so large that only its edges were read, and may have another name of a model between them."""
    body = step.request.body.whole()
    if body is None or len(body) <= WHOLE:
        return False
    return body.count(b'"model"') > 1 or _ESCAPED.search(body) is not None


def _sentence(token: Token, models: tuple[str, ...], provider: str, model: str) -> str:
    listed = ", ".join(models[:_FEW]) + (f" and {len(models) - _FEW} more" if len(models) > _FEW else "")
    name = f"{token.name!r} may call {listed}"
    if not model:
        return (
            f"Model not allowed: token {name}. This call to {provider} names no model that can be read, which only a "
            f"token for {provider}/* may make."
        )
    return (
        f"Model not allowed: token {name}, but not {provider}/{model[:_SHOWN]}. Call one of these, or ask for a token "
        "that may call it."
    )
