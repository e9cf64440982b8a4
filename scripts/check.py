"""Every check of the code, one after the other; all of them run, also when one fails. CI runs exactly this.

``make check`` calls it with the Python of ``.venv``. Nothing is changed and nothing is downloaded.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

CHECKS = {
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "style": ["ruff", "check", "--quiet", "."],
    "types": ["pyright"],
    "imports": ["lint-imports"],
    "house and docs": ["pytest", "--quiet", "tests/docs", "tests/test_house.py", "tests/test_locks.py"],
}


def main() -> int:
    """1 if any check failed."""
    environment = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}  # or it asks for its newest version
    failed: list[str] = []
    for name, (tool, *arguments) in CHECKS.items():
        print(f"== {name}: {tool} {' '.join(arguments)}", flush=True)
        if subprocess.run([BIN / tool, *arguments], check=False, cwd=ROOT, env=environment).returncode:
            failed.append(name)
    print(f"== failed: {', '.join(failed)}" if failed else "== all good")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
