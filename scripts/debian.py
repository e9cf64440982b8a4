"""Installs Debian packages that are missing: ``python scripts/debian.py nginx wrk``, each asked for by its command.

Standard library only. Needs root for the installation alone, and says so. No package may start a service of its own:
what a test needs, it starts itself.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

PACKAGES = {"postgres": "postgresql"}  # those that are not named like their command
NO_CLUSTER = (Path("/etc/postgresql-common/createcluster.conf"), "create_main_cluster = false\n", 0o644)
NO_SERVICE = (Path("/usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n", 0o755)
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])  # daemons are not in everybody's path


def install(packages: list[str], why: str) -> None:
    """Installs ``packages``. Exits with a sentence where that is not possible."""
    command = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
    print(f"Installing {' '.join(packages)} ({why}); this needs root, once.", file=sys.stderr)
    if shutil.which("apt-get") is None:
        sys.exit(f"This machine has no apt-get. Install what corresponds to {' '.join(packages)}, then try again.")
    if os.geteuid() != 0 and shutil.which("sudo") is None:
        sys.exit(f"You are not root and there is no sudo. As root, run: apt-get update && {command}")
    with _present(*NO_CLUSTER), _present(*NO_SERVICE):
        for step in ["apt-get update", command]:
            words = [*_as_root(), "env", "DEBIAN_FRONTEND=noninteractive", *step.split()]
            if subprocess.run(words, check=False, stdout=sys.stderr).returncode:
                sys.exit(f"That failed. As root, run: apt-get update && {command}")


def missing(commands: list[str]) -> list[str]:
    """The packages of those commands that are not on this machine. PostgreSQL's are in nobody's path."""
    path = os.pathsep.join([PATH, *map(str, Path("/usr/lib/postgresql").glob("*/bin"))])
    return [PACKAGES.get(name, name) for name in commands if shutil.which(name, path=path) is None]


@contextmanager
def _present(file: Path, text: str, mode: int) -> Generator[None]:
    """A file that is there while packages are installed, and gone afterwards unless it was there before."""
    made = not file.exists()
    if made:
        script = f"mkdir -p {file.parent} && printf '%s' '{text}' >{file} && chmod {mode:o} {file}"
        subprocess.run([*_as_root(), "sh", "-c", script], check=True)
    try:
        yield
    finally:
        if made:
            subprocess.run([*_as_root(), "rm", "-f", str(file)], check=True)


def _as_root() -> list[str]:
    if os.geteuid() == 0:
        return []
    return ["sudo"] if sys.stdin.isatty() else ["sudo", "-n"]


if __name__ == "__main__":
    if packages := missing(sys.argv[1:]):
        install(packages, why="not found on this machine")
