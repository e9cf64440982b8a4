"""Which rules of a gateway hold for a step, and which counter of each."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple
from urllib.parse import quote

from penstock.core.codec import decode, encode
from penstock.model.money import Budget, Window
from penstock.model.step import Step

Names = frozenset[str]

# What an edge before the gateway says of a call; no client can say it in its metadata, where such keys are left out.
_EDGE = dict.fromkeys(("cf.user_id", "cf.user_email"), b"cf-access-authenticated-user-email")
_LONG = 128  # characters of a value, as it is written in a name; a longer one is hashed
_PLAIN = " @/+=,.!*()'~_-"


class Rule(NamedTuple):
    """One rule. ``models`` and ``providers`` are in lower case, providers by their ids; None: all of them.

    ``filters``: metadata keys, each with the values that the rule is for; ``partitions``: those of which each value has
    a counter of its own.
    """

    name: str
    limit: int
    window: Window
    filters: tuple[tuple[str, Names], ...] = ()
    partitions: tuple[str, ...] = ()
    models: Names | None = None
    providers: Names | None = None


class Bound(NamedTuple):
    """A budget that a step takes from. ``what`` names it; ``whom`` says who can raise it.

    ``credit``: it is what the account has.
    """

    budget: Budget
    what: str
    whom: str = ""
    credit: bool = False


class Rules:
    """The rules of the gateway with that number."""

    def __init__(self, number: int, rules: tuple[Rule, ...]) -> None:
        self._bounds = [(rule, _binder(number, rule)) for rule in rules]
        self._told = any(rule.filters or rule.partitions for rule in rules)

    def of(self, step: Step) -> list[Bound]:
        """Those that hold for a step. A step without a key of a partition is not limited by that rule."""
        told = _told(step) if self._told else _NOTHING
        named: Names | None = None
        found: list[Bound] = []
        for rule, bind in self._bounds:
            if rule.models is not None or rule.providers is not None:
                named = models(step) if named is None else named
                if not _is_for(rule, step, named):
                    continue
            if (bound := bind(told)) is not None:
                found.append(bound)
        return found


_NOTHING: Mapping[str, str] = {}
NO_RULES = Rules(0, ())


def _told(step: Step) -> Mapping[str, str]:
    """The metadata of a step as texts, and what the edge says."""
    metadata = step.options.metadata
    given: dict[str, Any] = {} if metadata is None else decode(metadata)
    told = {key: value if isinstance(value, str) else encode(value).decode() for key, value in given.items()}
    for key, header in _EDGE.items():
        if (value := step.ex.request.first.get(header)) is not None:
            told[key] = value.decode("utf-8", "replace")
    return told


def models(step: Step) -> Names:
    """All names of a step's model, in lower case: as asked and as the target has it, with its provider and without."""
    target, asked = step.target, step.request.asked.model
    names = {asked.lower(), target.model.lower() if target else ""} - {""}
    slugs = {step.request.provider.lower(), target.provider if target else ""} - {""}
    names |= {f"{slug}/{name}" for slug in slugs for name in names}
    if (route := step.decisions.route) is not None:
        names.add(f"dynamic/{route.name}".lower())
    return frozenset(names)


def _is_for(rule: Rule, step: Step, named: Names) -> bool:
    if rule.models is not None and rule.models.isdisjoint(named):
        return False
    return rule.providers is None or (step.target is not None and step.target.provider in rule.providers)


def _binder(number: int, rule: Rule) -> Callable[[Mapping[str, str]], Bound | None]:
    """What finds the counter of a rule by the metadata; None: the rule does not hold."""
    owner = owner_of(number, rule.name)
    what = f"rule '{rule.name}'"
    one = Bound(Budget(owner, rule.limit, rule.window), what, _OPERATOR)

    def bind(told: Mapping[str, str]) -> Bound | None:
        for key, values in rule.filters:
            if told.get(key) not in values:
                return None
        if not rule.partitions:
            return one
        values = [told.get(key) for key in rule.partitions]
        if None in values:
            return None
        of = ", ".join(f"{key}={value:.64}" for key, value in zip(rule.partitions, values, strict=True))
        budget = Budget(owner + "".join(f":{part(value or '')}" for value in values), rule.limit, rule.window)
        return Bound(budget, f"{what} of {of}", _OPERATOR)

    return bind


def owner_of(number: int, name: str) -> str:
    """The owner of a rule's counter, or what those of its partitions begin with."""
    return f"rule:{number}:{part(name)}"


@lru_cache(maxsize=4096)
def part(value: str) -> str:
    """A value as a part of an owner's name: ASCII without colons, short."""
    told = quote(value, safe=_PLAIN, errors="replace")
    return told if len(told) <= _LONG else f"#{blake2b(value.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"


_OPERATOR = "ask whoever runs the gateway to raise it"
