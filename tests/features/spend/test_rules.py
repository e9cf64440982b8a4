"""Which rules hold for a step, and by which counters."""

from types import SimpleNamespace
from typing import Any

import pytest

from penstock.features.spend.rules import Rule, Rules
from penstock.model.decision import Decisions, RouteDecision
from penstock.model.money import Window

HOUR = Window("fixed", "second", 3600)


def a_step(metadata=None, asked="gpt-4o", target="", provider="openai", slug="openai", route="", headers=None) -> Any:
    decisions = Decisions(route=RouteDecision(route, "v1", "e") if route else None)
    return SimpleNamespace(
        options=SimpleNamespace(metadata=metadata),
        request=SimpleNamespace(asked=SimpleNamespace(model=asked), provider=slug),
        target=SimpleNamespace(model=target, provider=provider),
        decisions=decisions,
        ex=SimpleNamespace(request=SimpleNamespace(first=headers or {})),
    )


def owners(step, **fields):
    return [bound.budget.owner for bound in Rules(7, (Rule("r", 5, HOUR, **fields),)).of(step)]


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("gpt-4o", True),
        ("openai/gpt-4o", True),
        ("alias/gpt-4o", True),
        ("azure/gpt-4o", False),
        ("deployed", True),
        ("openai/deployed", True),
        ("dynamic/support", True),
        ("gpt-4", False),
        ("", False),
    ],
)
def test_a_model_has_many_names(name, holds):
    step = a_step(asked="GPT-4o", target="deployed", slug="alias", route="Support")
    assert bool(owners(step, models=frozenset({name, "other"}))) is holds


def test_a_provider_is_named_by_its_id():
    assert owners(a_step(), providers=frozenset({"openai"}))
    assert not owners(a_step(), providers=frozenset({"groq"}))


@pytest.mark.parametrize(
    ("metadata", "owner"),
    [
        (None, None),
        ('{"team":"red"}', None),
        ('{"user":"ann"}', None),
        ('{"user":"ann","team":"blue"}', None),
        ('{"user":"ann","team":"red"}', "rule:7:r:ann"),
        ('{"user":"a:b%","team":"red"}', "rule:7:r:a%3Ab%25"),
        ('{"user":5,"team":"red"}', "rule:7:r:5"),
        ('{"user":true,"team":"red"}', "rule:7:r:true"),
        ('{"user":"","team":"red"}', "rule:7:r:"),
        ('{"user":"\\u0000é","team":"red"}', "rule:7:r:%00%C3%A9"),
    ],
)
def test_filters_and_partitions_on_metadata_must_all_fit(metadata, owner):
    fields = {"filters": (("team", frozenset({"red"})),), "partitions": ("user",)}
    assert owners(a_step(metadata), **fields) == ([] if owner is None else [owner])


def test_a_long_value_of_a_partition_is_bounded():
    long, other = (owners(a_step(f'{{"user":"{"x" * 1000}{end}"}}'), partitions=("user",)) for end in "ab")
    assert long != other
    assert len(long[0]) < 60


def test_two_partitions_are_told_apart():
    one = owners(a_step('{"a":"x:y","b":"z"}'), partitions=("a", "b"))
    two = owners(a_step('{"a":"x","b":"y:z"}'), partitions=("a", "b"))
    assert one != two


def test_what_the_edge_says_of_the_user_is_a_partition():
    step = a_step(headers={b"cf-access-authenticated-user-email": b"ann@x.example"})
    assert owners(step, partitions=("cf.user_id",)) == ["rule:7:r:ann@x.example"]
    assert owners(a_step(), partitions=("cf.user_id",)) == []


def test_rules_without_conditions_hold_for_all_and_say_what_they_are():
    (bound,) = Rules(7, (Rule("team a", 5, HOUR),)).of(a_step())
    assert bound.budget == ("rule:7:team a", 5, HOUR)
    assert bound.what == "rule 'team a'"
    (bound,) = Rules(7, (Rule("r", 5, HOUR, partitions=("user",)),)).of(a_step('{"user":"ann"}'))
    assert bound.what == "rule 'r' of user=ann"
