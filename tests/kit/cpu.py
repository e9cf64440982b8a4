"""The processor time of the tests, their child processes included, by folder and by file."""

import os
from collections import defaultdict
from collections.abc import Generator
from typing import Any

import pytest

MOST = 10  # files that are named


class CpuReport:
    """A plugin of pytest. A worker of xdist hands its figures to the process that reports."""

    def __init__(self) -> None:
        self._spent: dict[str, float] = defaultdict(float)  # seconds by file
        self._elsewhere = 0.0  # of workers, outside of tests: starting and collecting

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        before = _used()
        try:
            return (yield)
        finally:
            self._spent[item.location[0]] += _used() - before

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if (output := getattr(session.config, "workeroutput", None)) is not None:
            output["cpu"] = dict(self._spent)
            output["cpu_elsewhere"] = _used() - sum(self._spent.values())

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        output = getattr(node, "workeroutput", {})
        for file, seconds in output.get("cpu", {}).items():
            self._spent[file] += seconds
        self._elsewhere += output.get("cpu_elsewhere", 0.0)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        folders: dict[str, float] = defaultdict(float)
        for file, seconds in self._spent.items():
            folders["/".join(file.split("/")[:2]).removeprefix("tests/")] += seconds
        terminalreporter.section("CPU seconds")
        total = sum(self._spent.values())
        terminalreporter.line(f"{total:.0f} in tests, {self._elsewhere:.0f} in workers outside of them")
        terminalreporter.line(", ".join(f"{name} {seconds:.0f}" for name, seconds in _most(folders)))
        for file, seconds in _most(self._spent)[:MOST]:
            terminalreporter.line(f"{seconds:6.1f}  {file}")


def _most(spent: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(spent.items(), key=lambda one: -one[1])


def _used() -> float:
    """Seconds of this process, and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
