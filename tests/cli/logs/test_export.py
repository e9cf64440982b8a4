"""``penstock logs export``."""

import gzip
import json

import pytest

from penstock.core import ids
from penstock.storage.log.table import LogTable
from tests.kit.logsink import a_record


def exported(world, *flags):
    done = world.run("export", *flags)
    assert (done.status, done.err) == (0, "")
    return [json.loads(line) for line in done.out.splitlines()]


@pytest.mark.parametrize(("flags", "places"), [([], [0, 1, 2]), (["--metadata", "user=alice", "--success"], [1])])
def test_calls_are_lines_of_json(world, tmp_path, flags, places):
    file = tmp_path / "calls.jsonl"
    assert exported(world, "--to", str(file), *flags) == []
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["id"] for row in rows] == [world.id(place) for place in places]
    assert rows[0]["gateway"] == "default"
    assert "request" not in rows[0]
    assert file.stat().st_mode & 0o777 == 0o600


def test_bodies_go_with_them_as_they_are_stored(world, tmp_path):
    LogTable(world.connection).write([a_record(request=b"\xff", response=b"text")])
    file = tmp_path / "calls.jsonl.gz"
    exported(world, "--to", str(file), "--bodies")
    rows = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    assert (rows[0]["request"], rows[0]["response"]) == ('{"model":"gpt4"}', '{"choices":[{}]}\n')
    assert (rows[2]["request"], rows[2]["response"]) == (None, None)
    assert (rows[3]["request"], rows[3]["response"]) == ({"base64": "/w=="}, "text")


def test_each_of_many_is_there_once_also_where_many_began_at_one_moment(world, tmp_path):
    """More than a page of them."""
    moments = [(10**11).to_bytes(6, "big"), (10**12).to_bytes(6, "big")]
    made = [moment + bytes([112, 0, 128]) + bytes([0] * 6 + [count]) for moment in moments for count in range(120)]
    LogTable(world.connection).write([a_record(id=log_id) for log_id in made])
    file = tmp_path / "calls.jsonl"
    exported(world, "--to", str(file))
    rows = [json.loads(line)["id"] for line in file.read_text().splitlines()]
    assert rows == [*map(ids.text, made), *map(world.id, range(3))]


def test_without_a_file_they_are_printed(world):
    assert [row["id"] for row in exported(world, "--failed")] == [world.id(2)]


def test_a_file_that_is_there_stays(world, tmp_path):
    file = tmp_path / "calls.jsonl"
    file.write_text("mine")
    done = world.run("export", "--to", str(file))
    assert (done.status, done.err) == (2, f"penstock logs export: --to: {file} cannot be made: File exists\n")
    assert file.read_text() == "mine"


def test_what_is_wrong_is_told_before_a_file_is_made(world, tmp_path):
    file = tmp_path / "calls.jsonl"
    assert world.run("export", "--to", str(file), "--filter", "x").status == 2
    assert not file.exists()
    done = world.run("export", "--gateway", "beta", "--to", str(file))
    assert (done.status, done.err) == (1, "penstock logs export: there is no gateway beta\n")
    assert not file.exists()
