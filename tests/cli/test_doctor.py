"""``penstock doctor``, as it is called: what it prints and how it ends."""

import asyncio
import socket

import pytest

from penstock.core import codec
from tests.kit.command import command, spawned
from tests.kit.process import serving


@pytest.fixture
def doctor(tmp_path):
    """Runs it; returns exit status, standard output and standard error."""

    async def run(*flags, **environ):
        return await asyncio.to_thread(command, "doctor", *flags, cwd=tmp_path, environ=environ)

    return run


async def test_a_machine_without_problems_is_told_so_and_the_status_is_0(doctor, tmp_path):
    status, said, errors = await doctor("--port", "0")
    assert (status, errors) == (0, "")
    assert all(line.startswith("ok ") for line in said.splitlines()[:-2])
    assert said.endswith("no problems, no warnings.\n")
    assert list(tmp_path.iterdir()) == []  # it looks, and makes nothing


async def test_a_problem_comes_with_its_remedy_and_the_status_is_1(doctor):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, said, _ = await doctor("--port", str(taken.getsockname()[1]))
    assert status == 1
    lines = said.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith("problem   port ")]
    assert lines[at + 1].strip() == "Stop that process (`ss -ltnp` shows it), or choose another port."
    assert lines[-1] == "1 problem, no warnings."


async def test_for_machines_each_finding_is_a_line_of_json(doctor):
    status, said, _ = await doctor("--port", "0", "--host", "0.0.0.0", "--json")
    found = [codec.decode(line) for line in said.splitlines()]
    assert status == 0  # a warning is no problem
    assert {frozenset(one) for one in found} == {frozenset({"check", "level", "text", "remedy"})}
    assert [(one["check"], one["level"]) for one in found][:2] == [("port", "ok"), ("port", "warning")]


async def test_wrong_settings_are_told_as_serve_tells_them(doctor):
    status, said, errors = await doctor("--workers", "2", PENSTOCK_PORT="many")
    assert (status, said) == (2, "")
    assert "PENSTOCK_PORT" in errors
    assert "workers: " in (await doctor("--workers", "2"))[2]


async def test_settings_come_from_where_serve_takes_them(doctor, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / "penstock.toml").write_text(f"port = {port}\n")
        assert (await doctor())[0] == 1
        assert (await doctor(PENSTOCK_PORT="0"))[0] == 0
        assert (await doctor("--port", str(port), PENSTOCK_PORT="0"))[0] == 1


async def test_beside_a_server_that_runs_all_is_well(doctor, tmp_path):
    async with serving(tmp_path / "data") as server:
        flags = ("--port", str(server.port), "--data-dir", str(server.data_dir))
        status, said, _ = await asyncio.to_thread(spawned, "doctor", *flags)
        assert (await server.get("/readyz"))[0] == 200
    assert status == 0, said
    for word in (
        "answers /healthz",
        "can be read and written",
        "this version knows no newer one",
        "opens what is sealed",
    ):
        assert word in said


async def test_no_secret_is_ever_shown(doctor):
    secrets = {
        "PENSTOCK_DATABASE_URL": "postgresql://somebody:first-secret@127.0.0.1:1/penstock",
        "PENSTOCK_REDIS_URL": "redis://:second-secret@127.0.0.1:2/0",
        "PENSTOCK_MASTER_KEY": "5ec2e7" * 10 + "abcd",
        "PENSTOCK_API_TOKEN": "third-secret-third-secret",
    }
    for flags in ((), ("--json",)):
        status, said, errors = await doctor("--port", "0", *flags, **secrets)
        assert status == 1
        assert not [word for word in ("-secret", "5ec2e7") if word in said + errors]
