"""The clock: ids, expiry of tokens and signatures of requests all depend on it."""

import time
from contextlib import closing
from datetime import UTC, datetime

from penstock.doctor.finding import Finding, Findings, Subject, ok, problem, warning
from penstock.providers import catalog
from penstock.storage import health, opening
from penstock.storage.errors import StoreUnavailable

MOST = 5.0  # seconds that clocks may differ
_SYNC = "Synchronise both clocks (chrony, systemd-timesyncd): `timedatectl` shows whether this machine does."


def check(subject: Subject) -> Findings:
    """Our clock against the release, and against the database server's."""
    newest = max(row.checked for row in catalog.load().values())
    today = datetime.fromtimestamp(time.time_ns() / 1e9, UTC)
    if today.date() < newest:
        text = f"It is {today:%Y-%m-%d} by this machine's clock, which is before this version was made."
        yield problem("clock", text, "Set the clock, and synchronise it (chrony, systemd-timesyncd).")
    elif not subject.shared:
        yield ok("clock", f"It is {today:%Y-%m-%d %H:%M} UTC by this machine's clock.")
    else:
        yield from _against_database(subject.database_url)


def difference(who: str, seconds: float) -> Finding:
    """What it means that somebody's clock is so far ahead of ours."""
    text = f"The clock of {who} and this machine's differ by {abs(seconds):.1f} s."
    return ok("clock", text) if abs(seconds) <= MOST else warning("clock", text, _SYNC)


def _against_database(url: str) -> Findings:
    try:
        with closing(opening.connect_reader(url)) as connection:
            health.clock(connection)  # connecting takes its time
            before = time.time_ns()
            theirs = health.clock(connection)
            ours = (before + time.time_ns()) / 2e9
    except StoreUnavailable:
        return  # the check of the database says so
    yield difference("the database server", theirs - ours)
