"""The unit of systemd: what systemd's own tools say of it, and that the service it describes starts and stops.

Without a systemd that runs, the test does what systemd would: the command of ExecStart, with the unit's environment,
directories, mask, file limit, system calls and without capabilities, in a scratch root; then the signal of the unit to
whom the unit says.
"""

import asyncio
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from tests.kit.client import connected
from tests.kit.databases import SERVER, postgres_on
from tests.kit.process import environment, eventually


def parse(text):
    """Section and name -> every value, in order; an empty value takes back what was before it."""
    found, section = {}, ""
    for line in text.splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line):
            section = match[1]
        elif line and line[0] not in "#;":
            name, _, value = line.partition("=")
            found.setdefault((section, name), []).append(value)
    return found


@pytest.fixture(scope="session")
def unit_file(root):
    return root / "deploy" / "penstock.service"


@pytest.fixture(scope="session")
def unit(unit_file):
    """Name -> its last value, in [Service]."""
    return {
        name: values[-1] for (section, name), values in parse(unit_file.read_text()).items() if section == "Service"
    }


@pytest.fixture(scope="session")
def systemd(root):
    """``systemd-analyze``; of Debian's package where the machine has none."""
    if shutil.which("systemd-analyze") is None:
        install = "import debian; debian.install(['systemd'], why='checks of the unit')"
        subprocess.run([sys.executable, "-c", install], check=True, cwd=root / "scripts")

    def run(*words):
        done = subprocess.run(["systemd-analyze", *words], check=False, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    return run


def program(tmp_path):
    """A ``penstock`` that exists, in a folder of its own."""
    place = tmp_path / "opt" / "penstock" / "bin" / "penstock"
    place.parent.mkdir(parents=True)
    place.write_text(f'#!/bin/sh\nexec {sys.executable} -m penstock "$@"\n')
    place.chmod(0o755)
    return place


def test_systemd_finds_no_fault_in_the_unit(systemd, unit_file, tmp_path):
    copy = tmp_path / "penstock.service"
    text = unit_file.read_text()
    copy.write_text(text.replace("/opt/penstock/bin/penstock", str(program(tmp_path))))
    assert systemd("verify", "--man=no", str(copy)) == (0, "")
    copy.write_text(
        text.replace("/opt/penstock/bin/penstock", str(program(tmp_path / "other"))) + "\n[Service]\nProtectt=1\n"
    )
    assert "Protectt" in systemd("verify", "--man=no", str(copy))[1]  # it would have said so


def test_systemd_calls_the_exposure_of_the_service_low(systemd, unit_file, tmp_path):
    copy = tmp_path / "penstock.service"
    copy.write_bytes(unit_file.read_bytes())
    status, said = systemd("security", "--offline=true", "--no-pager", "--threshold=20", str(copy))
    assert status == 0, said


def test_the_unit_gives_time_and_files_enough(unit, worst_stop, descriptors):
    assert int(unit["TimeoutStopSec"]) >= worst_stop
    assert int(unit["LimitNOFILE"]) >= descriptors
    assert unit["RestartPreventExitStatus"] == "2"  # of wrong settings
    assert unit["KillMode"] == "control-group"


# Drops every capability; then lets pass the system calls that the unit leaves, by the library that systemd itself uses.
# Everything else: EPERM.
FILTER = """
import ctypes, os, sys
for capability in range(64):
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
library = ctypes.CDLL("libseccomp.so.2")
library.seccomp_init.restype = ctypes.c_void_p
rules = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(0x00050001)))
for name in sys.argv[1].split(","):
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number >= 0 and library.seccomp_rule_add_array(rules, ctypes.c_uint32(0x7FFF0000), number, 0, None):
        sys.exit("no rule for " + name)
if library.seccomp_load(rules):
    sys.exit("the filter does not load")
os.execv(sys.argv[2], sys.argv[2:])
"""


def calls(systemd, groups):
    """The system calls of the groups, ``~`` taken away, as systemd knows them."""

    def members(group):
        status, said = systemd("syscall-filter", "--no-pager", group)
        assert status == 0, said
        words = [
            line.strip() for line in said.splitlines()[1:] if line.startswith(" ") and not line.strip().startswith("#")
        ]
        return {name for word in words for name in (members(word) if word.startswith("@") else {word})}

    allowed = members("@default")
    for value in groups:
        named = {name for group in value.removeprefix("~").split() for name in members(group)}
        allowed = allowed - named if value.startswith("~") else allowed | named
    return allowed


@asynccontextmanager
async def started(unit_file, unit, systemd, tmp_path, **more):
    """The service in a scratch root. Kills what is left of it."""
    scratch = tmp_path / "root"
    moved = {"/etc/": f"{scratch}/etc/", "/var/lib/": f"{scratch}/var/lib/", "/opt/": f"{tmp_path}/opt/"}

    def here(text):
        return re.sub(r"(?<!\S)(\S*?=)?(/etc/|/var/lib/|/opt/)", lambda m: (m[1] or "") + moved[m[2]], text)

    settings = scratch / "etc" / unit["ConfigurationDirectory"]
    state = scratch / "var" / "lib" / unit["StateDirectory"]
    settings.mkdir(parents=True)
    state.mkdir(parents=True, mode=int(unit["StateDirectoryMode"], 8))
    file = Path(here(unit["EnvironmentFile"].removeprefix("-")))
    file.write_text("PENSTOCK_API_TOKEN=an-example-and-no-token\n")
    service = parse(unit_file.read_text())
    given = [here(word) for value in service["Service", "Environment"] for word in value.split()]
    variables = dict(word.split("=", 1) for word in [*given, *file.read_text().split()])
    command = here(unit["ExecStart"]).split()
    program(tmp_path)
    allowed = ",".join(sorted(calls(systemd, service["Service", "SystemCallFilter"])))
    limit = min(int(unit["LimitNOFILE"]), resource.getrlimit(resource.RLIMIT_NOFILE)[1])

    def limits():
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", FILTER, allowed, *command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=here(unit["WorkingDirectory"]),
        env=environment(variables | {"PENSTOCK_PORT": "0", "PYTHONDONTWRITEBYTECODE": "1"} | more),
        umask=int(unit["UMask"], 8),
        preexec_fn=limits,
        start_new_session=True,
    )
    try:
        yield process, state, limit
    finally:
        if process.returncode is None:
            for left in members(process):
                left.kill()
        await process.communicate()


def members(process):
    """The processes of the service, as its control group would hold them."""
    main = psutil.Process(process.pid)
    return [main, *main.children(recursive=True)]


async def port_of(process):
    lines = []
    async with asyncio.timeout(30):
        while line := await process.stdout.readline():
            lines.append(line.decode())
            if match := re.search(r"listens on \w+://.*:(\d+)$", lines[-1].rstrip()):
                return int(match[1])
    raise AssertionError("".join(lines))


async def get(port, path):
    async with connected(port) as client:
        return await client.ask(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())


async def test_the_service_of_the_unit_starts_serves_and_stops_as_systemd_stops_it(systemd, unit_file, unit, tmp_path):
    async with started(unit_file, unit, systemd, tmp_path) as (process, state, limit):
        port = await port_of(process)
        assert (await get(port, "/readyz")).status == 200
        main = psutil.Process(process.pid)
        assert main.rlimit(psutil.RLIMIT_NOFILE) == (limit, limit)
        assert "Seccomp:\t2" in Path(f"/proc/{process.pid}/status").read_text()
        assert re.search(r"CapEff:\t0+\n", Path(f"/proc/{process.pid}/status").read_text())
        assert len(members(process)) >= 2  # the server and its log writer
        assert {path.stat().st_mode & 0o077 for path in state.rglob("*")} == {0}
        assert {path.name for path in state.rglob("*")} >= {"penstock.db", "master.key"}
        scratch = state.parents[2]
        assert [path for path in scratch.rglob("*") if path.is_file() and state not in path.parents] == [
            scratch / "etc" / "penstock" / "penstock.env"
        ]
        await stopped(process, unit)


async def stopped(process, unit):
    """Stops the service as systemd does where KillMode is control-group: the signal goes to all."""
    group = members(process)
    for each in group:
        each.send_signal(getattr(signal, unit["KillSignal"]))
    async with asyncio.timeout(int(unit["TimeoutStopSec"])):
        assert await process.wait() == 0
    await eventually(lambda: not any(each.is_running() for each in group))


async def test_the_service_stops_as_well_with_several_processes_on_a_shared_database(
    systemd, unit_file, unit, tmp_path
):
    with postgres_on(os.environ[SERVER], migrated=False) as url:
        shared = {
            "PENSTOCK_DATABASE_URL": url,
            "PENSTOCK_REDIS_URL": os.environ["PENSTOCK_TEST_REDIS_URL"],
            "PENSTOCK_MASTER_KEY": "2d" * 32,
            "PENSTOCK_WORKERS": "2",
        }
        async with started(unit_file, unit, systemd, tmp_path, **shared) as (process, _, _):
            port = await port_of(process)
            assert (await get(port, "/readyz")).status == 200
            assert len(members(process)) >= 5  # the parent, two servers, their log writers
            await stopped(process, unit)


async def test_the_service_ends_with_the_status_that_keeps_systemd_from_trying_again(
    systemd, unit_file, unit, tmp_path
):
    async with started(unit_file, unit, systemd, tmp_path, PENSTOCK_PORT="many") as (process, _, _):
        said, _ = await process.communicate()
        assert process.returncode == int(unit["RestartPreventExitStatus"])
        assert b"port" in said
