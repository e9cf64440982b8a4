"""The revisions of the schema, and which of them this version must find.

A release changes the schema in two steps. What older processes survive comes ``before``: on PostgreSQL it is done
while they serve (`penstock migrate`). What they would not survive comes ``after``, when none of them runs any more
(`penstock migrate --finish`); from then on, whoever uses the database must know the revision that such a step
``needs``, and ``configuration.compatible`` says so. Thus the processes of two releases that follow one another can run
side by side. SQLite has one process, which goes all the way when it starts.
"""

from typing import NamedTuple

# Every migration in migrations/versions, oldest first, and the last of them that comes "before".
REVISIONS = ("0001",)
NEEDED = "0001"


class Step(NamedTuple):
    """One migration. ``when``: before or after the older processes are gone. ``needs``: empty, or a revision."""

    revision: str
    when: str
    sentence: str
    needs: str


def due(steps: list[Step], at: str | None, *, finish: bool) -> tuple[list[Step], list[Step]]:
    """What to run on a database at that revision (None: it is empty), and what is left for later.

    Nothing on one of a newer version, at a revision that is not among the steps.
    """
    names = [step.revision for step in steps]
    if at is not None and at not in names:
        return [], []
    missing = steps if at is None else steps[names.index(at) + 1 :]
    if finish or at is None:
        return missing, []
    last = max((place for place, step in enumerate(missing) if step.when == "before"), default=-1)
    return missing[: last + 1], missing[last + 1 :]


def needs(steps: list[Step]) -> str:
    """The revision that must be known to whoever uses a database on which these were run; empty: any."""
    return max((step.needs for step in steps), default="")
