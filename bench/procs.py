"""Child processes, and what the operating system says about them. Linux only: reads ``/proc``."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TICK_US = 1_000_000 / os.sysconf("SC_CLK_TCK")
KB = 1024


class BenchFault(Exception):
    """Something could not be measured; the text is for the reader of the table."""


def free_port() -> int:
    """A TCP port that was free on loopback a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _stat(pid: int) -> list[str]:
    """Fields of ``/proc/<pid>/stat`` from the state on; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def family(pid: int) -> list[int]:
    """The process and all its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found


def cpu_us(pid: int) -> float:
    """CPU microseconds, user and system, of a process, its living descendants and its buried ones."""
    # utime, stime, cutime, cstime: a reaped child moves into its parent's last two, so nothing is lost or counted twice
    return sum(sum(map(int, fields[11:15])) for member in family(pid) if (fields := _stat(member))) * TICK_US


@dataclass(frozen=True)
class Memory:
    """Bytes per process, the first started first: ``rss`` counts shared pages in each, ``pss`` divides them."""

    rss: list[int]
    pss: list[int]


def memory(pid: int) -> Memory:
    """What a process and its descendants hold in memory."""
    rss: list[int] = []
    pss: list[int] = []
    for member in family(pid):
        try:
            rollup = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        sizes = {line.split(":")[0]: int(line.split()[1]) * KB for line in rollup[1:]}
        rss.append(sizes["Rss"])
        pss.append(sizes["Pss"])
    return Memory(rss, pss)


class Server:
    """One started server: its process, its port, and where its output goes."""

    def __init__(
        self, name: str, command: Sequence[str], port: int, log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.port = port
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=dict(env) if env is not None else None
            )
        self.pid = self.process.pid

    def ready(self, limit: float = 20) -> "Server":
        """Waits until the port accepts. Raises BenchFault when the process ends or the time is over."""
        until = time.monotonic() + limit
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                if self.process.poll() is not None:
                    raise BenchFault(f"{self.name} ended with {self.process.returncode}: {self.tail()}") from None
                if time.monotonic() > until:
                    raise BenchFault(f"{self.name} did not listen within {limit:g} s: {self.tail()}") from None
                time.sleep(0.002)  # a starting server tells nobody that it listens
            else:
                return self

    def tail(self) -> str:
        """The end of its output, on one line."""
        text = self.log.read_text(errors="replace").strip().splitlines()
        return " / ".join(line.strip() for line in text[-4:])[-500:]

    def stop(self) -> None:
        """Asks it to end, and after ten seconds ends it and its descendants."""
        if self.process.poll() is not None:
            return
        members = family(self.pid)
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            for member in members:
                if _stat(member):
                    os.kill(member, signal.SIGKILL)
            self.process.wait()
