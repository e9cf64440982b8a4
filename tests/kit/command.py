"""The command line, run inside the test's process, which costs a hundredth of starting an interpreter.

What holds only for a process of its own (signals, exit codes of the interpreter, a full standard output) is tested with
``spawned``; each command has at least one test that starts it.
"""

import logging
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import chdir, contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from typer import testing
from typer.main import get_command

import penstock
from penstock.cli.main import app
from penstock.core import logs

LONGEST = 60.0  # seconds that a command may take
testing.__dict__["_get_command"] = cache(get_command)  # it builds all commands, and then runs one
_PLACE = str(Path(penstock.__file__).parent.parent)


class Done(NamedTuple):
    """How a command ended, and what it printed on standard output and standard error."""

    status: int
    out: str
    err: str


def command(*words: str, cwd: Path | None = None, environ: Mapping[str, str] | None = None, stdin: str = "") -> Done:
    """``penstock <words>`` in this process. ``environ`` is set beside an environment without settings of ours;
    ``stdin`` is what it reads.

    It runs event loops of its own: an asynchronous test calls it in a thread.
    """
    given = {name: None for name in os.environ if name.startswith("PENSTOCK_")} | dict(environ or {})
    with chdir(cwd or Path.cwd()), _unchanged(), _stopped():
        result = testing.CliRunner().invoke(app, words, prog_name="penstock", env=given, input=stdin)
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


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of this process without settings of ours, and with the package that is being tested."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
    return ours | {"PYTHONPATH": _PLACE} | dict(more or {})


@contextmanager
def _stopped() -> Generator[None]:
    """Stops a server that should have refused to start."""
    timer = threading.Timer(LONGEST, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _unchanged() -> Generator[None]:
    """Puts back what a start of the server changes in its process: log handlers, a signal, the limit of open files."""
    root, hangup = logging.getLogger(), signal.getsignal(signal.SIGHUP)
    handlers, level, files = root.handlers[:], root.level, resource.getrlimit(resource.RLIMIT_NOFILE)
    root.handlers.clear()  # or they would be closed
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logs.log.setLevel(logging.NOTSET)
        logs.access_log.setLevel(logging.CRITICAL)
        if signal.getsignal(signal.SIGHUP) is not hangup:
            signal.signal(signal.SIGHUP, hangup)
        resource.setrlimit(resource.RLIMIT_NOFILE, files)
