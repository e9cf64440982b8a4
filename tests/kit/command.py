"""The command line, run inside the test's process, which costs a hundredth of starting an interpreter.

What holds only for a process of its own (signals, exit codes of the interpreter, a full standard output) is tested with
``spawned``; each command has at least one test that starts it.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple

from typer.testing import CliRunner

from penstock.cli.main import app
from tests.kit.process import environment


class Done(NamedTuple):
    """How a command ended, and what it printed on standard output and standard error."""

    status: int
    out: str
    err: str


def command(*words: str, cwd: Path | None = None, environ: Mapping[str, str] | None = None) -> Done:
    """``penstock <words>`` in this process. ``environ`` is set beside an environment without settings of ours.

    It runs event loops of its own: an asynchronous test calls it in a thread.
    """
    given = {name: None for name in os.environ if name.startswith("PENSTOCK_")} | dict(environ or {})
    with chdir(cwd or Path.cwd()):
        result = CliRunner().invoke(app, words, prog_name="penstock", env=given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)


def spawned(*words: str, cwd: Path | None = None, environ: Mapping[str, str] | None = None) -> Done:
    """The same in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "penstock", *words],
        check=False,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment(environ),
        timeout=60,
    )
    return Done(done.returncode, done.stdout, done.stderr)
