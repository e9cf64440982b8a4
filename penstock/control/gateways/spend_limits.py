"""Compiles the setting ``spend_limits``."""

from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from penstock.core.codec import encode
from penstock.features.spend.rules import Rule
from penstock.model.money import NANO, Window


def rules(limits: Mapping[str, Any] | None) -> tuple[Rule, ...]:
    """Those that are on.

    A rule's counter has its name: its id, or one that is made of what it counts, so that it stays where the limit or
    its place in the list changes. Of rules of the same name, the later ones get a number.
    """
    if limits is None or limits.get("enabled") is False:
        return ()
    found: list[Rule] = []
    names = Counter[str]()
    for given in limits.get("rules") or ():
        rule = _rule(given)
        name = given.get("id") or _name(rule)
        names[name] += 1
        if given.get("enabled") is not False:
            found.append(rule._replace(name=name if names[name] == 1 else f"{name} #{names[name]}"))
    return tuple(found)


def _name(rule: Rule) -> str:
    """Of what says whose spending the rule counts; the limit does not."""
    filters = sorted((key, sorted(values)) for key, values in rule.filters)
    names = [None if values is None else sorted(values) for values in (rule.models, rule.providers)]
    return f"rule-{sha256(encode((rule.window, filters, rule.partitions, names))).hexdigest()[:12]}"


def _rule(given: Mapping[str, Any]) -> Rule:
    metadata: Mapping[str, Any] = given.get("metadata") or {}
    return Rule(
        "",
        max(1, round(given["limit"] * NANO)),
        Window(given.get("technique") or "fixed", "second", given["window"]),
        tuple((key, frozenset(one["values"])) for key, one in metadata.items() if one["mode"] == "filter"),
        tuple(sorted(key for key, one in metadata.items() if one["mode"] == "partition")),
        _names(given.get("model")),
        _names(given.get("provider")),
    )


def _names(given: Mapping[str, Any] | None) -> frozenset[str] | None:
    return None if given is None else frozenset(value.strip().lower() for value in given["values"])
