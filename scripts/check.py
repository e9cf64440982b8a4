"""Every check of the code. They run at the same time, and each to its end, also when another fails.

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
    environment = {
        **os.environ,
        "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",  # or it asks for its newest version
        "PENSTOCK_TEST_DATABASE_URL": "",  # the tests here need neither, so neither is started
        "PENSTOCK_TEST_REDIS_URL": "",
    }
    running = {
        name: subprocess.Popen(
            [BIN / tool, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, env=environment
        )
        for name, (tool, *arguments) in CHECKS.items()
    }
    failed: list[str] = []
    for name, process in running.items():
        said, _ = process.communicate()
        print(f"== {name}: {' '.join(CHECKS[name])}", flush=True)
        sys.stdout.buffer.write(said)
        sys.stdout.flush()
        if process.returncode:
            failed.append(name)
    print(f"== failed: {', '.join(failed)}" if failed else "== all good")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
