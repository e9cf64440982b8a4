"""Writes the locks from the ranges in ``pyproject.toml``; pins stay as they are where they still fit.

``make lock`` calls it with the Python of ``.venv``; ``make lock ARGS=--upgrade`` moves every pin to its newest version.
The locks hold for every platform and Python that we support, carry hashes, and name no place to download from. So does
the lock of the JavaScript clients that the tests drive, from the ranges in their ``package.json``.
"""

import subprocess
import sys
from pathlib import Path

from npm import npm

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
OPTIONS = "--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header"
EXTRAS = [word for extra in ("aws", "google", "oidc", "pdf", "stripe") for word in ("--extra", extra)]
LOCKS = {
    "build": ["--group", "build"],
    "runtime": EXTRAS,
    "dev": [*EXTRAS, "--group", "dev", "--constraint", "requirements/runtime.txt"],
}


def main(extra: list[str]) -> None:
    for name, arguments in LOCKS.items():
        source = [] if name == "build" else ["pyproject.toml"]
        output = ["--output-file", f"requirements/{name}.txt"]
        command = [BIN / "uv", "pip", "compile", "--quiet", *OPTIONS.split(), *source, *arguments, *output, *extra]
        subprocess.run(command, check=True, cwd=ROOT)
    npm("update" if "--upgrade" in extra else "install", "--package-lock-only", "--omit-lockfile-registry-resolved")


if __name__ == "__main__":
    main(sys.argv[1:])
