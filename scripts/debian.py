"""Installs Debian packages that are missing: ``python scripts/debian.py nginx wrk``, each named like its command.

Standard library only. Needs root for the installation alone, and says so.
"""

import os
import shutil
import subprocess
import sys

PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])  # daemons are not in everybody's path


def install(packages: list[str], why: str) -> None:
    """Installs ``packages``. Exits with a sentence where that is not possible."""
    command = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
    print(f"Installing {' '.join(packages)} ({why}); this needs root, once.", file=sys.stderr)
    if shutil.which("apt-get") is None:
        sys.exit(f"This machine has no apt-get. Install what corresponds to {' '.join(packages)}, then try again.")
    if os.geteuid() != 0 and shutil.which("sudo") is None:
        sys.exit(f"You are not root and there is no sudo. As root, run: apt-get update && {command}")
    for step in ["apt-get update", command]:
        words = [*_as_root(), "env", "DEBIAN_FRONTEND=noninteractive", *step.split()]
        if subprocess.run(words, check=False, stdout=sys.stderr).returncode:
            sys.exit(f"That failed. As root, run: apt-get update && {command}")


def _as_root() -> list[str]:
    if os.geteuid() == 0:
        return []
    return ["sudo"] if sys.stdin.isatty() else ["sudo", "-n"]


if __name__ == "__main__":
    if missing := [name for name in sys.argv[1:] if shutil.which(name, path=PATH) is None]:
        install(missing, why="not found on this machine")
