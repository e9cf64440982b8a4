"""``penstock logs delete``."""

import json

import pytest

from penstock.core import ids
from tests.kit.command import command


def left(world):
    return {json.loads(line)["id"] for line in world.run("search", "--json").out.splitlines()}


def test_the_calls_of_a_user_go_with_their_bodies(world):
    done = world.run("delete", "--metadata", "user=alice", "--yes")
    assert (done.status, done.out, done.err) == (0, "Deleted 2.\n", "")
    assert left(world) == {world.id(0)}
    assert world.run("show", world.id(1)).status == 1
    assert world.connection.execute("SELECT count(*) FROM logs") == [(1,)]


def test_a_dry_run_deletes_none(world):
    done = world.run("delete", "--failed", "--dry-run")
    assert (done.status, done.out) == (0, "1 call of the gateway default would be deleted.\n")
    assert len(left(world)) == 3


@pytest.mark.parametrize(("answer", "status", "rows"), [("y\n", 0, 0), ("n\n", 1, 3), ("", 1, 3)])
def test_it_asks_first(world, tmp_path, answer, status, rows):
    done = command("logs", "delete", "--all", "--data-dir", str(tmp_path), stdin=answer)
    assert done.status == status
    assert "Delete 3 calls of the gateway default? [y/N]" in done.out
    assert len(left(world)) == rows


@pytest.mark.parametrize("flags", [["--yes"], ["--yes", "--all", "--failed"]])
def test_which_calls_must_be_said(world, flags):
    done = world.run("delete", *flags)
    assert (done.status, done.err) == (2, "penstock logs delete: say which calls: by flags, or --all (not both)\n")
    assert len(left(world)) == 3


def test_a_gateway_that_is_not_there(world):
    done = world.run("delete", "--all", "--gateway", "beta", "--yes")
    assert (done.status, done.err) == (1, "penstock logs delete: there is no gateway beta\n")
    assert ids.text(world.records[0].id) in left(world)
