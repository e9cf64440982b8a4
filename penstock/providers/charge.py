"""What an answer used, and what that costs: by the provider's word, the caller's prices, or the list.

Writes ``reported``, ``cost`` and, where something could not be learnt, lines of ``warnings``.
"""

from collections import OrderedDict
from collections.abc import Iterable

from penstock.core import ids
from penstock.model.credential import WHOLESALE
from penstock.model.endpoint import Endpoint
from penstock.model.step import Step
from penstock.model.usage import Reported, Usage, Used
from penstock.providers.dialects import DIALECTS
from penstock.providers.kinds import IMAGE, OUTPUT
from penstock.providers.prices import PriceBook
from penstock.providers.pricing import Vector, cost, custom_cost
from penstock.providers.upstream import Upstream

UNFINISHED = 10_000  # answers remembered that the provider still works on, or that were asked for since

_NO_RATE = "cf-aig-custom-cost: no cost: it has no rate for a kind of token that the answer used, or the sum is absurd"
_NONE = "usage not known: the answer reported none"
_LATER = "usage not known yet: the provider still works on the answer, and tells it to whoever asks for that"
_CUT = "usage not known: the stream ended before it was told; a later call that gets the whole answer is charged"
_LEFT = "usage not known: the stream ended before it was told"
_PART = "usage told in part: the stream ended before its tokens of output were; they are taken from its length"
_AGAIN = "usage not counted: it is that of an earlier call, which has it"
_ELSEWHERE = "usage not counted: it is that of an earlier call, which this process did not see"

_Key = tuple[int, str, str]


class Charge:
    """Charges each answer once, however often it is asked for.

    What the provider still works on when the call ends (OpenAI's background responses) is charged to the first call
    that gets it with its usage. That is remembered for the last ``UNFINISHED`` such answers, in this process.
    """

    def __init__(self, prices: PriceBook) -> None:
        self._prices = prices
        self._begun: OrderedDict[_Key, bool] = OrderedDict()  # True: it was charged

    def note(self, step: Step, reported: Reported) -> None:
        """Takes down what an answer said of itself."""
        step.reported = reported
        target = step.target
        if target is None:
            return
        upstream: Upstream = target.upstream
        endpoint: Endpoint = target.endpoint
        notes: list[str] = []
        asked = step.request.asked
        if asked.used and not (reported.raw or reported.unread or reported.error or reported.lost):
            reported.fees = [*asked.used]
        accounting = upstream.accounting(endpoint.dialect)
        usage = accounting.read(reported, notes)
        if usage is not None and reported.growing:
            _raise(usage, min(came(step), asked.most or came(step)), notes)
        if reported.id and self._is_elsewhere(step, reported, endpoint, usage, notes):
            usage = None
        elif usage is None:
            if not (notes or reported.error or reported.lost):
                notes.append(_NONE)
        else:
            model = reported.model or target.model or asked.model
            usage.used = accounting.charged(usage.used, model)
            if asked.terms and any(part.kind == IMAGE for part in usage.used):
                usage.terms += asked.terms
            self._price(step, usage, model, notes)
        reported.usage = usage
        step.warnings += notes

    def _is_elsewhere(
        self, step: Step, reported: Reported, endpoint: Endpoint, usage: Usage | None, notes: list[str]
    ) -> bool:
        """Whether the usage is, or will be, counted by another call than this one."""
        begun, gateway = self._begun, step.ex.gateway
        key = (gateway.number if gateway else 0, endpoint.dialect, reported.id)
        if reported.unfinished:  # what it tells of itself so far is not the end
            if not endpoint.again:
                begun[key] = not (reported.complete or reported.error) and _is_estimated(step)
                if len(begun) > UNFINISHED:
                    begun.popitem(last=False)
            broken = reported.error or reported.lost
            notes[:] = () if broken else (_LATER if reported.complete else _LEFT if begun.get(key) else _CUT,)
            return True
        if usage is None or not endpoint.again:
            return False
        charged = begun.get(key)
        if charged is False:
            begun[key] = True
            return False
        notes[:] = [_ELSEWHERE if charged is None else _AGAIN]
        return True

    def _price(self, step: Step, usage: Usage, model: str, notes: list[str]) -> None:
        assert step.target is not None
        own: Vector | None = step.target.upstream.vector
        ours, lacks = by_list(self._prices, step.target.provider, model, usage.used, usage.terms, step.id, own)
        if (custom := step.options.cost) is not None:
            step.cost, usage.real = custom_cost(usage, custom), ours if usage.cost is None else usage.cost
            if step.cost is None:
                notes.append(_NO_RATE)
            return
        if usage.cost is None:
            step.cost = ours
            usage.model, usage.prices = model, self._prices.version
            notes += lacks
            return
        step.cost = usage.cost
        if ours is not None and abs(ours - usage.cost) * 100 > ours:
            notes.append(f"the provider states a cost of {usage.cost / 1e9:.9f} dollars, the list {ours / 1e9:.9f}")


def came(step: Step) -> int:
    """Tokens of output that came, by the length of the stream; about."""
    dialect = None if step.target is None else DIALECTS.get(step.target.endpoint.dialect)
    return 0 if dialect is None else step.answer_size // dialect.token_size


def _raise(usage: Usage, tokens: int, notes: list[str]) -> None:
    told = usage.tokens_out or 0
    if tokens > told:
        usage.used.append(Used(OUTPUT, tokens - told))
        usage.tokens_out = tokens
        notes.append(_PART)


def _is_estimated(step: Step) -> bool:
    """Whether the step costs what was reserved for it where nobody tells its usage."""
    return step.spending is not None and step.spending.estimate is not None


def charged(step: Step) -> tuple[str, int] | None:
    """The account that a step is charged to, and how much; None: its cost is not known, or no key of the operator's
    travelled with it. Prices that the caller gave are the caller's own affair.
    """
    key, cost = step.decisions.key, step.cost
    if key is None or key.source != WHOLESALE or step.target is None:
        return None
    if step.spending is not None and step.spending.unknown:
        cost = step.spending.listed
    elif step.options.cost is not None:
        usage = step.reported.usage if step.reported else None
        cost = usage.real if usage else None
    return None if cost is None else (step.request.account, with_markup(step, cost))


def with_markup(step: Step, cost: int) -> int:
    """What a step is charged that costs so much."""
    assert step.target is not None
    reported = step.reported
    model = step.target.model or step.request.asked.model or (reported.model if reported else "")
    return step.target.upstream.markups.charged(model, cost)


def by_list(
    prices: PriceBook,
    provider: str,
    model: str,
    used: list[Used],
    terms: tuple[str, ...],
    log_id: bytes,
    own: Vector | None = None,
) -> tuple[int | None, list[str]]:
    """Nano-dollars by the list's prices for the time of the call, or by ``own``; None, and what has no price."""
    whole, lacks = 0, list[str]()
    for name, parts in _by_model(used, model):
        vector = own or prices.price(provider, name, ids.millis(log_id), terms)
        if vector is None:
            said = f" with {', '.join(terms)}" if terms else ""
            lacks.append(f"no cost: no price is known for {name or 'the model'}{said}")
            continue
        nanos, unpriced = cost(parts, vector)
        if nanos is None:
            lacks.append(f"no cost: no price is known for {', '.join(unpriced) or 'so much'} of {name}")
        else:
            whole += nanos
    return (None if lacks else whole), lacks


def _by_model(used: list[Used], model: str) -> Iterable[tuple[str, list[Used]]]:
    """What each model used; most answers are made by one."""
    for part in used:
        if part.attributes:
            break
    else:
        return ((model, used),)
    parts: dict[str, list[Used]] = {}
    for part in used:
        made = dict(part.attributes).get("model")
        parts.setdefault(model if made is None else made, []).append(
            part if made is None else part._replace(attributes=())
        )
    return parts.items()
