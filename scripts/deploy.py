"""What can be said of the deployment files without a container engine and without a cluster.

``python scripts/deploy.py`` checks the container file by rules of the usual kind, and the chart with Helm where the
machine has one. ``python scripts/deploy.py render`` has Helm write the chart's manifests anew for ``tests/deploy``,
which checks them on machines without Helm too; needed after every change of the chart. ``HELM`` names another Helm.
``python scripts/deploy.py settings`` writes the names of the settings into the schema of the chart's values; needed
after every change of the list of settings, and does without Helm.
"""

import hashlib
import json  # noqa: TID251  for people, with its lines
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from penstock.core import codec
from penstock.core.settings import SETTINGS

ROOT = Path(__file__).resolve().parent.parent
CONTAINERFILE = ROOT / "deploy" / "Containerfile"
CHART = ROOT / "deploy" / "helm" / "penstock"
SCHEMA = CHART / "values.schema.json"
RENDERED = ROOT / "tests" / "deploy" / "rendered"
KUBERNETES = "1.33.0"

# ---- the container file


class Instruction(NamedTuple):
    """One instruction, its lines joined; ``stage`` counts from 0, -1 before the first FROM."""

    line: int
    stage: int
    name: str
    rest: str

    def words(self) -> list[str]:
        """Arguments without the flags of the instruction itself."""
        return [word for word in _exec_form(self.rest) or shlex.split(self.rest) if not word.startswith("--")]


def instructions(text: str) -> list[Instruction]:
    """Comments left out; a line that ends in a backslash goes on in the next."""
    found: list[Instruction] = []
    start, parts, stage = 0, list[str](), -1
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or not (line.strip() or parts):
            continue
        start = start or number
        parts.append(line.strip().removesuffix("\\").strip())
        if not line.rstrip().endswith("\\"):
            name, _, rest = " ".join(parts).partition(" ")
            stage += name.upper() == "FROM"
            found.append(Instruction(start, stage, name.upper(), rest.strip()))
            start, parts = 0, []
    return found


def lint(text: str, context: Iterable[str]) -> list[str]:
    """What is wrong with a container file, a sentence each. ``context``: the files that the ignore file leaves."""
    found = instructions(text)
    files = set(context)
    faults = [f"line {row.line}: {fault}" for row in found for fault in _faults(row, found, files)]
    last = [row for row in found if row.stage == found[-1].stage]
    missing = {"USER", "HEALTHCHECK", "STOPSIGNAL", "CMD", "LABEL"} - {row.name for row in last}
    faults += [f"the last stage has no {name}" for name in sorted(missing)]
    users = [row.rest for row in last if row.name == "USER"]
    if users and not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", users[-1]):
        faults.append(f"the last stage runs as {users[-1]}: must be a number that is not 0")
    return faults


def _faults(row: Instruction, found: list[Instruction], files: set[str]) -> Iterator[str]:
    checks = {"FROM": _from, "ADD": _add, "COPY": _copy, "RUN": _run, "ENV": _env, "ARG": _env, "WORKDIR": _workdir}
    if row.name in checks:
        yield from checks[row.name](row, found, files)
    if row.name in {"CMD", "ENTRYPOINT", "VOLUME"} and _exec_form(row.rest) is None:
        yield f"{row.name} must be a list of words, or a shell stands between the signal and the process"
    if row.name == "HEALTHCHECK" and _exec_form(row.rest.partition("CMD ")[2]) is None:
        yield "HEALTHCHECK must be a list of words"
    if row.name in {"CMD", "ENTRYPOINT", "HEALTHCHECK"} and (row.stage, row.name) in {
        (other.stage, other.name) for other in found if other.line < row.line
    }:
        yield f"a second {row.name} undoes the first"


def _from(row: Instruction, found: list[Instruction], _files: set[str]) -> Iterator[str]:
    image = row.words()[0]
    if image in _stages(found, row):
        return
    name, _, tag = image.rpartition(":")
    if not name or tag == "latest":
        yield f"{image} must name a version"
    elif tag == name or not re.search(r"\d", tag):
        yield f"{image}: the tag must hold a version"
    if "." in image.partition("/")[0] and "/" in image:
        yield f"{image} names a registry"


def _add(_row: Instruction, _found: list[Instruction], _files: set[str]) -> Iterator[str]:
    yield "ADD does more than it says: COPY"


def _copy(row: Instruction, found: list[Instruction], files: set[str]) -> Iterator[str]:
    *sources, target = row.words()
    if len(sources) > 1 and not target.endswith("/"):
        yield "several files need a directory, written with a slash at its end"
    if match := re.search(r"--from=(\S+)", row.rest):
        if match[1] not in _stages(found, row):
            yield f"there is no stage {match[1]} before"
        return
    for source in sources:
        if not any(file == source or file.startswith(f"{source.rstrip('/')}/") for file in files):
            yield f"{source} is not in the build's context"


def _run(row: Instruction, _found: list[Instruction], _files: set[str]) -> Iterator[str]:
    words = _exec_form(row.rest)
    commands = [words] if words else [shlex.split(part) for part in re.split(r"&&|\|\||;", row.rest)]
    for command in commands:
        if "pip" in command and "install" in command:
            own = {"--no-deps", "--no-index"} <= set(command)  # a file of this very build
            if not own and "--require-hashes" not in command:
                yield "pip install without --require-hashes"
        if command[:1] == ["sudo"] or command[:1] == ["apt"]:
            yield f"{command[0]} is for people"
        if command[:2] == ["apt-get", "install"]:
            if not {"-y", "--yes"} & set(command) or "--no-install-recommends" not in command:
                yield "apt-get install needs --yes and --no-install-recommends"
            if "rm -rf /var/lib/apt/lists" not in row.rest:
                yield "the lists of apt-get stay in the layer: rm -rf /var/lib/apt/lists/* in the same RUN"
        if command[:1] in (["curl"], ["wget"]):
            yield f"{command[0]}: what is fetched has no hash"
    if words is None and re.search(r"(?<!\|)\|(?!\|)", row.rest) and "pipefail" not in row.rest:
        yield "a pipe hides the failure of its first command"


def _env(row: Instruction, _found: list[Instruction], _files: set[str]) -> Iterator[str]:
    for word in shlex.split(row.rest):
        name = word.partition("=")[0]
        if re.search(r"KEY|TOKEN|PASSWORD|SECRET|_URL$", name):
            yield f"{name}: no secret belongs into an image"


def _workdir(row: Instruction, _found: list[Instruction], _files: set[str]) -> Iterator[str]:
    if not row.rest.startswith("/"):
        yield "WORKDIR must be absolute"


def _stages(found: list[Instruction], before: Instruction) -> set[str]:
    """Names of the stages that begin before an instruction."""
    names = (re.search(r" AS (\S+)$", row.rest, re.IGNORECASE) for row in found if row.line < before.line)
    return {match[1] for match in names if match}


def _exec_form(text: str) -> list[str] | None:
    """The words where they are written as a list; None: a shell takes them apart."""
    match = re.fullmatch(r'(?:--\S+ )*\[((?:\s*"(?:[^"\\]|\\.)*"\s*,?)*)\s*\]', text)
    return re.findall(r'"((?:[^"\\]|\\.)*)"', match[1]) if match else None


def context() -> list[str]:
    """The files of the checkout that ``.dockerignore`` leaves; it must begin with ``*`` and name what comes back."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    first, *rules = [line for line in lines if line and not line.startswith("#")]
    assert first == "*"
    kept = [rule[1:] for rule in rules if rule.startswith("!")]
    dropped = [rule for rule in rules if not rule.startswith("!")]
    found = [path for rule in kept for path in (ROOT / rule, *(ROOT / rule).rglob("*")) if path.is_file()]
    names = [PurePosixPath(path.relative_to(ROOT)) for path in found]
    hidden = {rule.removeprefix("**/") for rule in dropped}
    return sorted(str(name) for name in names if not hidden.intersection(name.parts))


# ---- the chart


# Settings that the chart gives by itself, from the Secret or from other values.
GIVEN = {
    *("host", "port", "data_dir", "config", "workers", "role", "tls_certificate", "tls_key"),
    *("database_url", "redis_url", "master_key", "master_key_previous", "account_id", "api_token"),
    *("stripe_secret_key", "stripe_webhook_secret"),
}


def schema() -> bytes:
    """The schema of the values, with the settings of this version."""
    found = codec.decode(SCHEMA.read_bytes())
    names = [row.name for row in SETTINGS if row.name not in GIVEN]
    found["properties"]["settings"]["properties"] = {name: {"type": ["string", "number", "boolean"]} for name in names}
    return json.dumps(found, indent=2).encode() + b"\n"


def helm() -> str | None:
    """The Helm of this machine."""
    return shutil.which(os.environ.get("HELM", "helm"))


def digest() -> str:
    """Of everything that the manifests come from: the chart, and the values in ``tests/deploy/rendered``."""
    found = (*CHART.rglob("*"), *RENDERED.glob("*.values.yaml"))
    files = [path for path in found if path.is_file() and path != SCHEMA]  # which changes no manifest
    parts = [part for path in sorted(files) for part in (path.name.encode(), path.read_bytes())]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def rendered(tool: str, values: Path) -> str:
    """The manifests that Helm makes of the chart with these values, by Kubernetes' own order."""
    command = [tool, "template", "gw", str(CHART), "--kube-version", KUBERNETES, "--namespace", "ai", "-f", str(values)]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout


def render(tool: str) -> None:
    for values in sorted(RENDERED.glob("*.values.yaml")):
        subprocess.run([tool, "lint", "--strict", "--quiet", str(CHART), "-f", str(values)], check=True, cwd=ROOT)
        values.with_name(values.name.replace(".values", "")).write_text(rendered(tool, values), "utf-8")
    (RENDERED / "digest").write_text(digest() + "\n", "utf-8")


def main(action: str = "check") -> int:
    """1 if something is wrong."""
    tool = helm()
    if action == "render":
        if tool is None:
            sys.exit("There is no helm on this machine; HELM names one elsewhere.")
        render(tool)
        return 0
    if action == "settings":
        SCHEMA.write_bytes(schema())
        return 0
    faults = lint(CONTAINERFILE.read_text("utf-8"), context())
    if (RENDERED / "digest").read_text("utf-8").strip() != digest():
        faults.append("the chart has changed: `python scripts/deploy.py render` writes its manifests anew")
    if SCHEMA.read_bytes() != schema():
        faults.append("settings have changed: `python scripts/deploy.py settings` writes them into the chart's schema")
    if tool is None:
        print("No helm on this machine: the chart's manifests are checked as they were last rendered.")
    else:
        for values in sorted(RENDERED.glob("*.values.yaml")):
            if rendered(tool, values) != values.with_name(values.name.replace(".values", "")).read_text("utf-8"):
                faults.append(f"{values.name}: Helm makes other manifests of it")
    print("\n".join(faults) or "The deployment files are as they should be.")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
