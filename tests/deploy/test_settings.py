"""Whatever the deployment files name exists: variables, flags, files; and no secret of theirs is one."""

import re

import pytest
import typer

from penstock.cli.main import app

PLACES = ["deploy/Containerfile", "deploy/compose.yaml", "deploy/env.example", "deploy/penstock.service"]


@pytest.fixture(scope="session")
def texts(root):
    """Every deployment file, and what Helm makes of the chart."""
    files = [path for place in ("deploy", "tests/deploy/rendered") for path in (root / place).rglob("*")]
    found = {str(path.relative_to(root)): path.read_text("utf-8") for path in files if path.is_file()}
    return {name: text for name, text in found.items() if "__pycache__" not in name and name != "deploy/.env"}


def test_every_deployment_file_is_looked_at(texts):
    assert {*PLACES, "deploy/helm/penstock/values.yaml", "tests/deploy/rendered/parts.yaml"} <= set(texts)


def test_every_variable_in_a_deployment_file_is_a_setting(texts, variables):
    for name, text in texts.items():
        assert set(re.findall(r"PENSTOCK_[A-Z_]*[A-Z]", text)) <= variables, name


def test_every_command_in_a_deployment_file_exists_with_its_flags(root, texts):
    group = typer.main.get_command(app)
    listed = re.findall(r'(?:args|command|CMD):? (\["[a-z]+"(?:, ?"[^"]*")*\])', "\n".join(texts.values()))
    written = re.findall(r"bin/penstock ([^\n]*)|-- penstock ([^\n]*)", "\n".join(texts.values()))
    calls = [re.findall(r'"([^"]*)"', call) for call in listed] + [(a or b).split() for a, b in written]
    known = getattr(group, "commands", {})
    ours = [call for call in calls if call[0] in known]
    others = {call[0] for call in calls} - set(known)
    assert others <= {"sh", "sleep", "python"}
    assert {call[0] for call in ours} == {"serve", "migrate"}
    for name, *flags in ours:
        assert set(flags) <= {flag for parameter in known[name].params for flag in parameter.opts}


def test_no_deployment_file_names_a_registry(texts):
    images = [
        image
        for text in texts.values()
        for image in re.findall(r"^\s*(?:image|FROM):? +\"?([^\s\"]+)", text, re.MULTILINE)
    ]
    named = {image.partition("/")[0] for image in images if "/" in image and "." in image.partition("/")[0]}
    assert named <= {"images.example.com"}
