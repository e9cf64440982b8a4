"""The locks hold what pyproject.toml asks for, with hashes, and name no place to download from."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCKS = {
    "build": PROJECT["dependency-groups"]["build"],
    "runtime": PROJECT["project"]["dependencies"],
    "dev": [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]],
}


def pins(lock):
    """Name -> (version, how many hashes)."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    found = [
        re.fullmatch(r"([\w.-]+)==(\S+)( ; [^\\]*?)?((?:\s+--hash=sha256:[0-9a-f]{64})+)\s*", line) for line in lines
    ]
    assert all(found), [line for line, match in zip(lines, found, strict=True) if not match]
    return {canonicalize_name(m[1]): (m[2], m[4].count("--hash")) for m in found if m}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_a_pin_with_hashes_and_nothing_else(lock):
    assert all(hashes for _, hashes in pins(lock).values())


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_within_its_range(lock):
    pinned = pins(lock)
    for requirement in map(Requirement, LOCKS[lock]):
        version, _ = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement


def test_tests_run_on_the_versions_that_serve():
    runtime, dev = pins("runtime"), pins("dev")
    assert {name: dev[name][0] for name in runtime} == {name: version for name, (version, _) in runtime.items()}


def test_the_build_backend_is_the_locked_one():
    assert PROJECT["build-system"]["requires"] == PROJECT["dependency-groups"]["build"]
