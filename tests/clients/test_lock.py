"""The lock of the JavaScript clients holds what is asked for, with hashes, and names no place to download from."""

import json
from pathlib import Path

CLIENTS = Path(__file__).parent / "typescript"
LOCK = json.loads((CLIENTS / "package-lock.json").read_text("utf-8"))
ASKED = json.loads((CLIENTS / "package.json").read_text("utf-8"))


def test_every_package_has_a_hash_and_no_address():
    packages = {name: package for name, package in LOCK["packages"].items() if name}
    assert packages
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not [name for name, package in packages.items() if "resolved" in package or package.get("link")]


def test_no_package_runs_a_script_when_it_is_installed():
    assert not [name for name, package in LOCK["packages"].items() if package.get("hasInstallScript")]


def test_it_is_the_lock_of_what_is_asked_for():
    assert LOCK["packages"][""]["dependencies"] == ASKED["dependencies"]
