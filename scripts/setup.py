"""Sets up ``.venv`` from the locks: ``python scripts/setup.py runtime|dev``. Quick when it is set up already.

Runs on the machine's own Python, before anything is installed: standard library only. Packages come with their hashes
from ``requirements/``, as wheels only, so that nothing is built by tools that no lock names. ``dev`` also installs the
JavaScript clients that the tests drive, from a lock of their own.
"""

import hashlib
import subprocess
import sys
import tomllib
from pathlib import Path

import debian
from npm import CLIENTS, npm

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
SUITABLE = "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))"


def main(lock: str) -> None:
    """Installs what is not there yet; ``dev`` holds everything that ``runtime`` does."""
    _install_python(lock)
    if lock == "dev":
        _install_javascript()


def _install_python(lock: str) -> None:
    if not (_is_suitable() and any(_stamp(name).exists() for name in {lock, "dev"})):
        if not _is_suitable():
            _make_venv()
        print(f"Installing requirements/{lock}.txt into .venv", file=sys.stderr)
        _pip(
            "--require-hashes", "--only-binary=:all:", "-r", "requirements/build.txt", "-r", f"requirements/{lock}.txt"
        )
        _pip("--no-deps", "--no-build-isolation", "--editable", ".")
        _stamp(lock).touch()


def _install_javascript() -> None:
    locked = [(CLIENTS / name).read_bytes() for name in ("package.json", "package-lock.json")]
    digest = hashlib.sha256(b"".join(locked)).hexdigest()
    stamp = CLIENTS / "node_modules" / f".installed-{digest[:16]}"  # npm removes the folder before it fills it anew
    if not stamp.exists():
        print(f"Installing {CLIENTS.relative_to(ROOT)}/package-lock.json into its node_modules", file=sys.stderr)
        npm("ci")
        stamp.touch()


def _stamp(lock: str) -> Path:
    """A file that exists once this very lock is installed for the checkout at this very place."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    locks = [(ROOT / "requirements" / f"{name}.txt").read_text("utf-8") for name in ("build", lock)]
    digest = hashlib.sha256(repr([str(ROOT), project["project"], project["build-system"], *locks]).encode())
    return VENV / f".installed-{lock}-{digest.hexdigest()[:16]}"


def _is_suitable() -> bool:
    """Whether ``.venv`` has a Python that we run on, and pip."""
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", f"import pip; {SUITABLE}"], check=False).returncode == 0


def _make_venv() -> None:
    python = str(getattr(sys, "_base_executable", sys.executable))  # not the one in .venv, which goes first
    print(f"Making .venv with {python}", file=sys.stderr)
    command = [python, "-m", "venv", "--clear", str(VENV)]
    needed = [python, "-c", "import venv; from ensurepip import version"]
    if subprocess.run(needed, check=False, capture_output=True).returncode:
        # Debian's Python comes without these; they are a package of their own.
        debian.install([f"python3.{sys.version_info.minor}-venv"], why="Python's venv module")
    subprocess.run(command, check=True)


def _pip(*arguments: str) -> None:
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, cwd=ROOT)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except subprocess.CalledProcessError as error:
        sys.exit(f"This step failed: {' '.join(map(str, error.cmd))}")
