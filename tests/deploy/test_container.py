"""The container file: the rules that it keeps, that each rule notices its fault, and that its steps make a package."""

import re
import subprocess
import sys
import tomllib
import zipfile

import pytest

GOOD = """\
FROM python:3.13-slim AS build
COPY requirements/runtime.txt requirements/
RUN ["pip", "install", "--require-hashes", \\
     "-r", "requirements/runtime.txt"]
FROM python:3.13-slim
LABEL title="x"
COPY --from=build /opt /opt
WORKDIR /data
USER 1000:1000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s CMD ["true"]
CMD ["serve"]
"""
FILES = ["requirements/runtime.txt", "penstock/app.py"]

FAULTS = {
    "no version": ("FROM python:3.13-slim\n", "FROM python\n", "must name a version"),
    "latest": ("FROM python:3.13-slim\n", "FROM python:latest\n", "must name a version"),
    "a tag that says nothing": ("FROM python:3.13-slim\n", "FROM python:slim\n", "must hold a version"),
    "a registry": ("FROM python:3.13-slim\n", "FROM images.example.com/python:3.13\n", "names a registry"),
    "add": ("COPY requirements", "ADD requirements", "COPY"),
    "a file that is not there": ("COPY requirements/runtime.txt", "COPY requirements/other.txt", "context"),
    "a stage that is not there": ("--from=build", "--from=make", "no stage make"),
    "several files, no directory": ("COPY requirements/runtime.txt requirements/", "COPY penstock penstock x", "slash"),
    "pip without hashes": ('"--require-hashes", \\\n', "\\\n", "without --require-hashes"),
    "pip in a shell": ("WORKDIR", "RUN true && pip install flask\nWORKDIR", "without --require-hashes"),
    "apt-get asks": ("WORKDIR", "RUN apt-get install tini\nWORKDIR", "--no-install-recommends"),
    "apt-get leaves lists": ("WORKDIR", "RUN apt-get install -y --no-install-recommends a\nWORKDIR", "rm -rf"),
    "sudo": ("WORKDIR", "RUN sudo true\nWORKDIR", "for people"),
    "a download": ("WORKDIR", "RUN curl -O http://example.com/x\nWORKDIR", "no hash"),
    "a pipe": ("WORKDIR", "RUN false | true\nWORKDIR", "pipe"),
    "a secret": ("WORKDIR", "ENV PENSTOCK_MASTER_KEY=x\nWORKDIR", "no secret"),
    "a relative directory": ("WORKDIR /data", "WORKDIR data", "absolute"),
    "root": ("USER 1000:1000", "USER root", "number"),
    "root by number": ("USER 1000:1000", "USER 0", "number"),
    "no user": ("USER 1000:1000\n", "", "no USER"),
    "no health check": ('HEALTHCHECK --interval=5s CMD ["true"]\n', "", "no HEALTHCHECK"),
    "a health check in a shell": ('CMD ["true"]', "CMD true", "list of words"),
    "a command in a shell": ('CMD ["serve"]', "CMD serve", "list of words"),
    "two commands": ('CMD ["serve"]', 'CMD ["serve"]\nCMD ["serve"]', "second CMD"),
    "no stop signal": ("STOPSIGNAL SIGTERM\n", "", "no STOPSIGNAL"),
    "no labels": ('LABEL title="x"\n', "", "no LABEL"),
}


def test_a_good_container_file_is_called_good(deploy):
    assert deploy.lint(GOOD, FILES) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_each_rule_of_container_files_notices_its_fault(deploy, fault):
    before, after, said = FAULTS[fault]
    assert before in GOOD
    assert any(said in found for found in deploy.lint(GOOD.replace(before, after, 1), FILES))


def test_the_container_file_keeps_every_rule(deploy):
    assert deploy.lint(deploy.CONTAINERFILE.read_text("utf-8"), deploy.context()) == []


def test_the_context_of_the_build_holds_no_more_than_it_needs(deploy, root):
    context = deploy.context()
    tracked = subprocess.run(["git", "ls-files"], cwd=root, check=False, capture_output=True, text=True).stdout.split()
    assert {"pyproject.toml", "requirements/runtime.txt", "penstock/app.py", "deploy/healthy.py"} <= set(context)
    assert not [name for name in context if re.search(r"\.env|\.git/|\.venv|tests/|penstock-data|__pycache__", name)]
    if tracked:  # from a checkout, and not from an archive
        others = subprocess.run(
            ["git", "ls-files", "--others", "--exclude-standard"], cwd=root, check=True, capture_output=True, text=True
        )
        assert set(context) <= {*tracked, *others.stdout.split()}


def test_the_image_says_which_version_it_is(deploy, version):
    text = deploy.CONTAINERFILE.read_text("utf-8")
    assert f'org.opencontainers.image.version="{version}"' in text
    assert set(re.findall(r"-t penstock:(\S+)", text)) == {version}


def test_the_image_runs_a_python_that_is_supported(deploy, root):
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    used = set(re.findall(r"^FROM python:(3\.\d+)", deploy.CONTAINERFILE.read_text("utf-8"), re.MULTILINE))
    assert used == {"3.13"}
    assert project["requires-python"] == ">=3.11,<3.14"


def test_the_steps_of_the_image_make_a_package_that_runs_from_what_the_context_holds(deploy, root, tmp_path):
    """The steps that need no network, as the container file has them, on a copy of the context alone."""
    here, target = tmp_path / "build", tmp_path / "installed"
    for name in deploy.context():
        copy = here / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((root / name).read_bytes())
    wheel, install = (
        next(row.words() for row in deploy.instructions(deploy.CONTAINERFILE.read_text("utf-8")) if word in row.rest)
        for word in ('"wheel"', "penstock-*.whl")
    )
    assert wheel[0] == "pip"
    assert install[0] == "pip"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    flags = ["--no-deps", "--no-index"]
    subprocess.run(
        [*pip, "wheel", *flags, "--no-build-isolation", "--wheel-dir", str(tmp_path), "."], check=True, cwd=here
    )
    (made,) = tmp_path.glob("penstock-*.whl")
    inside = set(zipfile.ZipFile(made).namelist())
    assert {name for name in deploy.context() if name.startswith("penstock/")} <= inside
    subprocess.run([*pip, "install", *flags, "--target", str(target), str(made)], check=True)
    run = "penstock.cli.main as m; print(m.__file__); sys.argv[1:] = ['--version']; m.main()"
    said = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(target)!r}); import {run}"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert str(target) in said
