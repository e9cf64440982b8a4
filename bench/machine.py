"""The machine: what it is, and whether it was quiet while we measured."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import penstock
from bench.figures import median
from bench.procs import TICK_US, cpu_us
from bench.targets import nginx_binary

QUIET_SHARE = 0.05  # of one core, taken by others
QUIET_DRIFT = 0.10  # between the calibration loops


def describe() -> dict[str, str]:
    """What a reader needs to place the figures; nothing that names the host."""
    cpu = next(
        (line.split(":", 1)[1] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "?"
    )
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1024**2
    nginx = subprocess.run([nginx_binary(), "-v"], check=False, capture_output=True, text=True).stderr
    packages = ("uvicorn", "uvloop", "httptools", "msgspec")
    return {
        "CPU": f"{cpu.strip()}, {os.cpu_count()} cores",
        "Memory": f"{memory:.0f} GiB",
        "Kernel": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "Python": f"{platform.python_implementation()} {sys.version.split()[0]}",
        "Penstock": penstock.__version__,
        "Packages": ", ".join(f"{name} {version(name)}" for name in packages),
        "nginx": nginx.strip().rpartition("/")[2],
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def calibrate() -> float:
    """Milliseconds of a fixed loop, the best of five: how fast one core is just now."""

    def loop() -> float:
        begun = time.perf_counter()
        total = 0
        for number in range(400_000):
            total += number & 7
        return (time.perf_counter() - begun) * 1e3

    return min(loop() for _ in range(5))


def _busy() -> tuple[float, float]:
    """CPU microseconds all processes took, and those the host took away, since boot."""
    user, nice, system, _, _, irq, softirq, steal = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + irq + softirq) * TICK_US, steal * TICK_US


class Quiet:
    """Watches what others took of the machine, round by round."""

    def __init__(self) -> None:
        self.shares: list[float] = []
        self.loops: list[float] = [calibrate()]
        self.load = os.getloadavg()[0]
        with self.round():
            time.sleep(1)  # the measurement itself: what others do in one second of our doing nothing

    @contextmanager
    def round(self) -> Iterator[None]:
        """Notes the share of one core that went to others (or to the host) during the block."""
        begun, own, (busy, steal) = time.monotonic(), cpu_us(os.getpid()), _busy()
        yield
        busy_after, steal_after = _busy()
        others = busy_after - busy - (cpu_us(os.getpid()) - own) + steal_after - steal
        self.shares.append(max(others, 0) / 1e6 / (time.monotonic() - begun))

    def calibrate(self) -> None:
        """Once more, between two tables."""
        self.loops.append(calibrate())

    @property
    def quiet(self) -> bool:
        """Whether the figures stand as they are."""
        return median(self.shares) <= QUIET_SHARE and self.drift() <= QUIET_DRIFT

    def drift(self) -> float:
        """How much slower the slowest calibration was than the fastest."""
        return max(self.loops) / min(self.loops) - 1

    def sentence(self) -> str:
        """What the document says of it."""
        judged = "The machine was quiet" if self.quiet else "THE MACHINE WAS NOT QUIET: read ratios, distrust absolutes"
        return (
            f"{judged}: load {self.load:.2f} before; processes other than the benchmark's took"
            f" {median(self.shares):.1%} of one core in the median round, {max(self.shares):.1%} in the worst;"
            f" the calibration loop varied by {self.drift():.1%}."
        )
