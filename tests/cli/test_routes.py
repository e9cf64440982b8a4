"""``penstock routes`` on a real database."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from penstock.storage import configuration, gateways
from penstock.storage.engine import Database
from tests.control.routes.conftest import SAMPLE, a_graph
from tests.kit.command import Done, command
from tests.kit.store import OPEN, first_started

ACCOUNT = "0123456789abcdef" * 2
GATEWAYS = ("default", "other")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """As a server left it that has GATEWAYS."""
    start = first_started(tmp_path / "data", account_id=ACCOUNT)
    start.store.close()

    async def make() -> None:
        database = Database(start.store.url)
        async with database.writing() as connection:
            version = await configuration.raise_version(connection)
            for name in GATEWAYS:
                await gateways.insert(connection, ACCOUNT, name, dict(OPEN), 0, version)
        await database.close()

    asyncio.run(make())
    return tmp_path / "data"


def penstock(data_dir: Path, *words: str) -> Done:
    return command("routes", *words, environ={"PENSTOCK_DATA_DIR": str(data_dir)})


def done(data_dir: Path, *words: str) -> str:
    result = penstock(data_dir, *words)
    assert (result.status, result.err) == (0, "")
    return result.out


def listed(data_dir: Path, *words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done(data_dir, "list", "--json", *words).splitlines()]


def a_file(folder: Path, name: str, elements: list[dict[str, Any]]) -> str:
    """Its path."""
    file = folder / f"{name}.json"
    file.write_text(json.dumps({"name": name, "elements": elements}))
    return str(file)


def test_a_route_is_imported_deployed_rolled_back_and_shown(data_dir: Path, tmp_path: Path):
    assert done(data_dir, "import", a_file(tmp_path, "r", a_graph("m1"))) == "r: created and deployed\n"
    assert done(data_dir, "import", a_file(tmp_path, "r", a_graph("m2"))) == "r: version 2 deployed\n"
    assert done(data_dir, "import", a_file(tmp_path, "r", a_graph("m2"))) == "r: unchanged\n"
    assert done(data_dir, "import", "--draft", a_file(tmp_path, "r", a_graph("m3"))) == "r: version 3 stored\n"
    (route,) = listed(data_dir)
    assert (route["elements"], route["version"]["number"]) == (a_graph("m2"), 2)
    assert done(data_dir, "rollback", "r").startswith("Version 1 of the route r is deployed")
    assert done(data_dir, "rollback", "r").startswith("Version 2 of the route r is deployed")
    assert done(data_dir, "deploy", "r").startswith("Version 3 of the route r is deployed")
    assert done(data_dir, "deploy", "r", "1").startswith("Version 1 of the route r is deployed")
    rows = [line.split() for line in done(data_dir, "show", "r").splitlines()]
    assert [(row[0], row[-1]) for row in rows] == [("version", "state"), ("3", "-"), ("2", "-"), ("1", "deployed")]
    assert done(data_dir, "list").splitlines()[1].startswith("r     1        2")


def test_what_is_exported_can_be_imported_elsewhere(data_dir: Path, tmp_path: Path):
    for name in ("one", "two"):
        done(data_dir, "import", a_file(tmp_path, name, a_graph(name)))
    folder = tmp_path / "routes"
    assert done(data_dir, "export", "--to", str(folder)) == ""
    assert json.loads((folder / "one.json").read_text()) == {"name": "one", "elements": a_graph("one")}
    assert done(data_dir, "export", "two") == (folder / "two.json").read_text()
    assert done(data_dir, "import", str(folder)) == "one: unchanged\ntwo: unchanged\n"
    told = done(data_dir, "import", str(folder), "--gateway", "other")
    assert told == "one: created and deployed\ntwo: created and deployed\n"
    both = [[(route["name"], route["elements"]) for route in listed(data_dir, "--gateway", of)] for of in GATEWAYS]
    assert both[0] == both[1]


def test_a_new_route_that_is_imported_as_a_draft_takes_no_calls(data_dir: Path, tmp_path: Path):
    file = a_file(tmp_path, "r", a_graph("m1"))
    assert done(data_dir, "import", "--draft", file) == "r: created\n"
    (route,) = listed(data_dir)
    assert (route["version"]["number"], route["version"]["active"]) == (1, "false")
    folder = tmp_path / "routes"
    left_out = penstock(data_dir, "export", "--to", str(folder))
    assert (left_out.status, left_out.out) == (0, "")
    assert left_out.err == "r: left out, as no version of it is deployed\n"
    assert not folder.exists()
    assert json.loads(done(data_dir, "export", "r"))["elements"] == a_graph("m1")
    assert done(data_dir, "deploy", "r").startswith("Version 1 of the route r is deployed")


def test_an_import_to_the_gateway_default_makes_it(tmp_path: Path):
    start = first_started(tmp_path / "data", account_id=ACCOUNT)
    start.store.close()
    assert done(tmp_path / "data", "import", a_file(tmp_path, "r", a_graph("m1"))) == "r: created and deployed\n"
    assert [route["gateway_id"] for route in listed(tmp_path / "data")] == ["default"]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["show", "none"], 1, "the gateway default has no route none"),
        (["list", "--gateway", "none"], 1, "there is no gateway none"),
        (["deploy", "r", "9"], 1, "the route r has no version 9"),
        (["rollback", "r"], 2, "the route r has no earlier deployment"),
        (["export", "none"], 1, "the gateway default has no route none"),
        (["import", "nowhere.json"], 2, "nowhere.json cannot be read"),
    ],
)
def test_what_is_refused(data_dir: Path, tmp_path: Path, words: list[str], status: int, said: str):
    done(data_dir, "import", a_file(tmp_path, "r", a_graph()))
    result = penstock(data_dir, *words)
    assert (result.status, result.out) == (status, "")
    assert said in result.err


def test_a_file_that_cannot_be_deployed_stops_all(data_dir: Path, tmp_path: Path):
    good, sample, shape = (
        a_file(tmp_path, "good", a_graph()),
        a_file(tmp_path, "sample", SAMPLE),
        a_file(tmp_path, "shape", [{"id": "s", "type": "begin"}]),
    )
    for bad, said in ((sample, "sample.json: elements.0.outputs.next"), (shape, "shape.json: type: ")):
        result = penstock(data_dir, "import", good, bad)
        assert (result.status, result.out) == (2, "")
        assert said in result.err
    assert listed(data_dir) == []
