"""Rules of a gateway become counters."""

import pytest

from penstock.control.gateways.spend_limits import rules
from penstock.features.spend.rules import Rule
from penstock.model.money import NANO, Window


def rule(**members):
    return {"limit": 2.5, "limitType": "cost", "window": 60} | members


def names(*given, **more):
    return [one.name for one in rules({"rules": [*given]} | more)]


def test_a_rule_says_what_it_counts():
    given = rule(
        id="r",
        technique="sliding",
        metadata={"user": {"mode": "partition"}, "team": {"mode": "filter", "values": ["a", "b"]}},
        model={"mode": "filter", "values": [" OpenAI/GPT-5 "]},
        provider={"mode": "filter", "values": ["OpenAI"]},
    )
    assert rules({"rules": [given]}) == (
        Rule(
            "r",
            5 * NANO // 2,
            Window("sliding", "second", 60),
            (("team", frozenset({"a", "b"})),),
            ("user",),
            frozenset({"openai/gpt-5"}),
            frozenset({"openai"}),
        ),
    )


@pytest.mark.parametrize("limits", [None, {}, {"rules": None}, {"enabled": False, "rules": [rule()]}])
def test_nothing_is_limited_unless_it_is_asked_for(limits):
    assert rules(limits) == ()


def test_a_rule_is_on_unless_it_is_off():
    assert names(rule(id="a", enabled=None), rule(id="b", enabled=False), rule(id="c", enabled=True)) == ["a", "c"]


def test_a_rule_without_an_id_is_named_by_what_it_counts():
    one = names(rule())
    assert names(rule(limit=7, technique="fixed", id=None, model=None)) == one
    others = [
        rule(window=61),
        rule(technique="sliding"),
        rule(model={"mode": "filter", "values": ["m"]}),
        rule(provider={"mode": "filter", "values": ["m"]}),
        rule(metadata={"m": {"mode": "partition"}}),
        rule(metadata={"m": {"mode": "filter", "values": ["m"]}}),
    ]
    assert len({*one, *names(*others)}) == 1 + len(others)
    both = {"a": {"mode": "partition"}, "b": {"mode": "filter", "values": ["x", "y"]}}
    turned = {"b": {"mode": "filter", "values": ["y", "x"]}, "a": {"mode": "partition"}}
    assert names(rule(metadata=both)) == names(rule(metadata=turned))


def test_rules_of_one_name_have_counters_of_their_own():
    assert names(rule(id="a"), rule(id="a"), rule(id="b"), rule(id="a")) == ["a", "a #2", "b", "a #3"]


def test_the_smallest_limit_is_a_nano_dollar():
    assert rules({"rules": [rule(limit=1e-12)]})[0].limit == 1
