"""All checks at the same time, each in a thread of its own and no longer than it may take."""

import threading
from collections.abc import Callable, Mapping
from time import monotonic

from penstock.doctor import clock, database, disk, files, key, port, providers, shared, tls
from penstock.doctor.finding import Finding, Findings, Subject, problem

LIMIT = 5.0  # seconds for each check

Check = Callable[[Subject], Findings]

CHECKS: Mapping[str, Check] = {
    "port": port.check,
    "tls": tls.check,
    "files": files.check,
    "disk": disk.check,
    "database": database.check,
    "migrations": database.migrations,
    "key": key.check,
    "clock": clock.check,
    "redis": shared.check,
}


def examine(subject: Subject) -> list[Finding]:
    """What all checks find, in the order of the table, the providers after it."""
    return run({**CHECKS, **providers.checks(subject)}, subject)


def run(checks: Mapping[str, Check], subject: Subject, limit: float = LIMIT) -> list[Finding]:
    """A check that takes longer, or breaks, is a finding too."""
    started = [_Running(name, check, subject) for name, check in checks.items()]
    until = monotonic() + limit
    return [finding for running in started for finding in running.found(max(0.0, until - monotonic()), limit)]


class _Running:
    """A thread that holds nothing up: a disk or a server that never answers must not keep the command from ending."""

    def __init__(self, name: str, check: Check, subject: Subject) -> None:
        self._name = name
        self._found: list[Finding] | None = None
        self._thread = threading.Thread(target=self._run, args=(check, subject), daemon=True, name=f"check {name}")
        self._thread.start()

    def found(self, wait: float, limit: float) -> list[Finding]:
        self._thread.join(wait)
        if self._found is None:
            text = f"There was no answer within {limit:g} seconds."
            return [problem(self._name, text, "Look for a disk or a server that hangs, or for a network in between.")]
        return self._found

    def _run(self, check: Check, subject: Subject) -> None:
        try:
            self._found = list(check(subject))
        except Exception as error:  # noqa: BLE001  one check that breaks must not cost the others
            text = f"The check itself failed: {type(error).__name__}: {error}."
            self._found = [problem(self._name, text, "Report this as a fault of Penstock.")]
