"""``penstock logs search``."""

import json

import pytest

from penstock.storage.log.table import LogTable
from tests.kit.logsink import a_record


def found(world, *flags):
    done = world.run("search", "--json", *flags)
    assert (done.status, done.err) == (0, "")
    return [json.loads(line)["id"] for line in done.out.splitlines()]


def test_the_dearest_calls_of_a_user_last_week(world):
    flags = ("--metadata", "user=alice", "--since", "7d", "--order-by", "cost", "--limit", "10")
    assert found(world, *flags) == [world.id(1), world.id(2)]
    done = world.run("search", *flags)
    heading, *lines = done.out.splitlines()
    assert heading.split()[0] == "time"
    assert [line.split()[-1] for line in lines] == [world.id(1), world.id(2)]
    assert "0.002000" in lines[0]


@pytest.mark.parametrize(
    ("flags", "places"),
    [
        ([], [2, 1, 0]),
        (["--ascending"], [0, 1, 2]),
        (["--limit", "1"], [2]),
        (["of the SEA"], [1]),
        (["gpt-4o", "--limit", "2"], [2, 1]),
        (["no such words"], []),
        (["--filter", "cost>0.0001"], [1]),
        (["--filter", "cost >= 0.000001", "--provider", "openai"], [1]),
        (["--filter", "provider=groq,openai", "--success"], [1, 0]),
        (["--filter", "model~MINI", "--failed"], [2]),
        (["--filter", "metadata.user!=alice"], [0]),
        (["--status", "5xx"], [2]),
        (["--status", "200"], [1, 0]),
        (["--model", "gpt-4o-mini", "--not-cached", "--provider", "groq"], [0]),
        (["--cached"], []),
        (["--until", "2001-01-01"], []),
        (["--until", "2999-12-31"], [2, 1, 0]),
    ],
)
def test_all_that_is_asked_holds(world, flags, places):
    assert found(world, *flags) == [world.id(place) for place in places]


def test_a_row_is_as_the_api_lists_it(world):
    row = json.loads(world.run("search", "--json", "--provider", "groq").out)
    assert (row["gateway"], row["cost"], row["usage_metadata"]["total_tokens"]) == ("default", 0.000001, 46)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--filter", "cost"], "--filter: 'cost' is none: write a field, one of = != > < >= <= ~, and a value"),
        (["--filter", "colour=red"], "--filter: must be one of id, "),
        (["--filter", "cost=much"], "--filter: must be a number"),
        (["--metadata", "alice"], "--metadata: must be KEY=VALUE, as user=alice"),
        (["--since", "yesterday"], "--since: must be a time ago"),
        (["--until", "later"], "--until: must be a time ago"),
        (["--status", "good"], "--status: must be a number"),
        (["--order-by", "colour"], "--order-by: must be one of created_at, "),
    ],
)
def test_what_is_wrong_is_told_by_its_flag(world, flags, said):
    done = world.run("search", *flags)
    assert done.status == 2
    assert done.err.startswith(f"penstock logs search: {said}")


def test_a_gateway_that_is_not_there(world):
    done = world.run("search", "--gateway", "beta")
    assert (done.status, done.err) == (1, "penstock logs search: there is no gateway beta\n")


def test_a_text_is_found_where_it_was_said(world):
    assert found(world, "the sea") == [world.id(1)]
    assert found(world, "the sea", "--order-by", "created_at", "--failed") == []
    done = world.run("search", "x")
    assert (done.status, done.err) == (2, "penstock logs search: TEXT: String should have at least 2 characters\n")
    assert world.run("search", "the sea", "--order-by", "cost").status == 2


def test_more_than_a_page_is_found(world):
    LogTable(world.connection).write([a_record(cost=count) for count in range(120)])
    assert len(found(world, "--limit", "110")) == 110
    assert len(found(world, "--limit", "1000")) == 123
    costs = found(world, "--limit", "115", "--order-by", "cost")
    assert len(set(costs)) == 115
    assert costs[0] == world.id(1)
