"""Copies of the package that are changed and then run: the release after this one has two more migrations."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import penstock
from tests.kit.process import environment

BEFORE, AFTER = "0002", "0003"  # its revisions: what older processes survive, and what they would not
_WIDER = '''"""Everything has a colour."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"
step = "before"


def upgrade() -> None:
    for table in ("tokens", "gateways", "logs", "log_bodies", "log_zones", "configuration"):
        op.add_column(table, sa.Column("colour", sa.Text))
'''
_NARROWER = '''"""Tokens have no e-mail any more."""

from alembic import op

revision, down_revision = "0003", "0002"
step, needs = "after", "0002"


def upgrade() -> None:
    op.drop_column("tokens", "email")
'''


class Release:
    """``migrations`` is the folder with its history, for ``storage.migrations.run``."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.migrations = root / "penstock" / "storage" / "migrations"

    def run(self, *words: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """``penstock`` with these words, as a process of that release."""
        return subprocess.run(
            [sys.executable, "-m", "penstock", *words],
            check=False,
            capture_output=True,
            text=True,
            cwd=self._root,
            env=environment({**environ, "PYTHONPATH": str(self._root)}),
        )


def next_release(folder: Path) -> Release:
    """Put into ``folder``."""
    package = copied(folder)
    release = Release(folder)
    (release.migrations / "versions" / "r0002_wider.py").write_text(_WIDER)
    (release.migrations / "versions" / "r0003_narrower.py").write_text(_NARROWER)
    listed = package / "storage" / "revisions.py"
    text = listed.read_text("utf-8")
    for line, then in (
        ('REVISIONS = ("0001",)', 'REVISIONS = ("0001", "0002", "0003")'),
        ('NEEDED = "0001"', 'NEEDED = "0002"'),
    ):
        assert line in text
        text = text.replace(line, then)
    listed.write_text(text, "utf-8")
    return release


def copied(folder: Path) -> Path:
    """The package, copied into ``folder``: what is changed there is compiled anew, all else has its byte code."""
    ignored = shutil.ignore_patterns("*.pyc.*")  # byte code that is being written
    return Path(shutil.copytree(Path(penstock.__file__).parent, folder / "penstock", ignore=ignored))
