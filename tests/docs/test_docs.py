"""Holds the documentation to the code: every list the code has is in the docs, and what the docs name exists."""

import re
import subprocess
import sys
import tomllib
from inspect import getmembers, isclass
from typing import Any, get_args

import msgspec
import pytest
import typer

from penstock.cli.main import app
from penstock.core import errors
from penstock.core.settings import SETTINGS, load
from penstock.core.telemetry import METRICS
from penstock.model.decision import Decisions
from penstock.model.outcome import OUTCOMES
from penstock.providers import catalog

TREE = [kind for _, kind in getmembers(errors, isclass) if issubclass(kind, errors.PenstockError)]
GROUPS = {
    errors.PenstockError,
    errors.CallerError,
    errors.GatewayRefusal,
    errors.ProviderFailure,
    errors.ControlError,
}


def commands(group, path=()):
    """Every command of the command line: its words, and itself."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS: dict[str, Any] = dict(commands(typer.main.get_command(app)))


@pytest.fixture(scope="module")
def pages(root):
    """Name of each page -> its text."""
    found = [*(root / "docs").glob("*.md"), *root.glob("*.md")]
    return {str(path.relative_to(root)): path.read_text("utf-8") for path in found}


@pytest.fixture(scope="module")
def everything(pages):
    return "\n".join(pages.values())


def test_the_tables_are_as_the_code_has_them(root):
    done = subprocess.run(
        [sys.executable, root / "scripts" / "docs.py", "--check"],
        check=False,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(root)},
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.name)
def test_every_setting_is_documented(row, pages):
    assert f"| `{row.name}` |" in pages["docs/settings.md"]


def test_every_setting_named_in_the_docs_as_a_variable_exists(everything):
    known = {row.variable for row in SETTINGS}
    known |= {f"PENSTOCK_{slug.upper().replace('-', '_')}_API_KEY" for slug in catalog.load()}
    assert set(re.findall(r"PENSTOCK_[A-Z_]*[A-Z]", everything)) <= known


def test_the_sample_configuration_works(pages, tmp_path):
    samples = [
        text
        for page in pages.values()
        for text in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
        if "id =" not in text and "[[prices]]" not in text  # tests/providers/test_own_prices.py reads those
    ]
    assert samples
    for text in samples:
        tomllib.loads(text)
        (tmp_path / "penstock.toml").write_text(text)
        load({}, {}, tmp_path / "penstock.toml")


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_every_error_is_documented_with_its_status_and_code(kind, pages):
    page = pages["docs/errors.md"]
    if kind in GROUPS:
        assert f"`{kind.__name__}` ({kind.status}, {kind.code})" in page.replace("\n", " ")
    else:
        assert f"| `{kind.__name__}` | {kind.status} | {kind.code} |" in page


def test_no_error_is_documented_that_does_not_exist(pages):
    documented = set(re.findall(r"^\| `([A-Z]\w+)` \|", pages["docs/errors.md"], re.MULTILINE))
    assert documented == {kind.__name__ for kind in TREE} - {kind.__name__ for kind in GROUPS}


@pytest.mark.parametrize("row", METRICS, ids=lambda row: row.name)
def test_every_metric_is_documented(row, pages):
    assert f"| `{row.name}` | {row.kind} |" in pages["docs/operations.md"]


def test_every_metric_named_in_the_docs_exists(pages):
    for name, text in pages.items():
        if name != "docs/extending.md":  # adds one
            assert set(re.findall(r"\bpenstock_[a-z_]+", text)) <= {row.name for row in METRICS}, name


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_is_documented(outcome, pages):
    assert f"| `{outcome}` |" in pages["docs/operations.md"]


def test_every_decision_is_documented(pages):
    table = pages["docs/logging.md"].split("### What decided\n")[1].split("\n### ")[0]
    documented: dict[str, set[str]] = {}
    name = ""
    for told, member in re.findall(r"`(\w*)\.(\w+)`", table):
        name = told or name
        documented.setdefault(name, set()).add(member)
    decisions = {one.name: get_args(one.type)[0] for one in msgspec.structs.fields(Decisions)}
    assert documented == {name: set(kind.__struct_fields__) for name, kind in decisions.items()}


@pytest.mark.parametrize("slug", sorted(catalog.load()))
def test_every_provider_is_documented(slug, pages):
    assert f"`{slug}`" in pages["docs/providers.md"]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_documented(name, everything):
    assert f"penstock {name}" in everything


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_flag_says_what_it_does(name):
    for parameter in COMMANDS[name].params:
        assert getattr(parameter, "help", None), f"{name}: {parameter.name}"


def test_commands_named_in_the_docs_exist_with_their_flags(everything):
    known = "|".join(sorted(COMMANDS, key=len, reverse=True))
    named = re.findall(r"(?:`|^|/)penstock ([a-z]+(?:[ -][a-z]+)*)((?: [^`\n]*)?)", everything, re.MULTILINE)
    assert named
    for words, rest in named:
        match = re.match(rf"({known})\b", words)
        assert match, f"penstock {words}"
        flags = {flag for p in COMMANDS[str(match[1])].params for flag in (*p.opts, *p.secondary_opts)}
        assert set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", rest)) <= flags | {"--help"}, f"penstock {words}{rest}"


def test_make_targets_named_in_the_docs_exist(everything, root):
    targets = set(re.findall(r"^([a-z]+(?: [a-z]+)*):", (root / "Makefile").read_text(), re.MULTILINE))
    targets = {target for line in targets for target in line.split()}
    named = set(re.findall(r"(?:`|^|[A-Z]+=\S+ )make ([a-z]+)", everything, re.MULTILINE))
    assert {"run", "test", "check", "bench", "lock"} <= named | {"bench"}
    assert named <= targets


def test_the_makefile_helps_with_every_target(root):
    done = subprocess.run(["make", "help"], cwd=root, check=True, capture_output=True, text=True)
    listed = set(re.findall(r"^  make ([a-z]+)", done.stdout, re.MULTILINE))
    assert listed == {"run", "test", "check", "bench", "drill", "docs", "lock", "help"}


def anchors(text):
    """The anchors that headings make."""
    heads = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_relative_link_leads_somewhere(pages, root):
    for name, text in pages.items():
        for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = ((root / name).parent / path).resolve() if path else root / name
            assert target.exists(), f"{name}: {link}"
            assert not anchor or anchor in anchors(target.read_text("utf-8")), f"{name}: {link}"


def test_every_page_is_in_the_index(pages):
    for name in pages:
        if name.startswith("docs/") and name != "docs/index.md":
            assert f"]({name.removeprefix('docs/')})" in pages["docs/index.md"]


def test_python_in_the_docs_is_python(pages):
    for name, text in pages.items():
        for sample in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
            compile(sample, name, "exec")
