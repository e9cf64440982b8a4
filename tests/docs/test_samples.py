"""Every sample of the first pages works when it is pasted on its own, where Penstock was started."""

import asyncio
import re
import shlex
import sys
from pathlib import Path

import pytest
import pytest_asyncio

from tests.kit.process import Serving, environment, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parents[2]
KEYS = {
    "README.md": dict[str, str](),  # its samples do without
    "docs/quickstart.md": {"OPENAI_API_KEY": "any", "ANTHROPIC_API_KEY": "any"},
    "docs/universal.md": {"OPENAI_API_KEY": "any", "ANTHROPIC_API_KEY": "any"},
}
STARTS = re.compile(r"(make run|\.venv/bin/penstock serve)\n")  # these do not end
SAMPLES = [
    (page, kind, text)
    for page in KEYS
    for kind, text in re.findall(r"```(python|sh)\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    if not STARTS.fullmatch(text)
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory):
    """As ``make run`` starts it: simulated providers, no gateway yet, the command in ``.venv``."""
    place = tmp_path_factory.mktemp("checkout")
    command = place / ".venv" / "bin" / "penstock"
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m penstock "$@"\n')
    command.chmod(0o755)
    async with serving(place / "penstock-data", gateways=()) as started:
        yield started


@pytest.mark.parametrize(("page", "kind", "text"), SAMPLES, ids=[f"{page} {kind}" for page, kind, _ in SAMPLES])
async def test_a_sample_works_on_its_own(server: Serving, page: str, kind: str, text: str):
    text = text.replace(":8787", f":{server.port}").replace("curl ", "curl --silent --show-error --fail-with-body ")
    command = [sys.executable, "-c"] if kind == "python" else ["sh", "-ec"]
    bare = {name: value for name, value in environment().items() if not name.endswith("_API_KEY")}
    process = await asyncio.create_subprocess_exec(
        *(*command, text),
        cwd=server.data_dir.parent,
        env=bare | KEYS[page],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert b'"success":false' not in said


async def test_there_are_samples_of_every_kind():
    of_both = {(page, kind) for page in ("README.md", "docs/quickstart.md") for kind in ("python", "sh")}
    assert {(page, kind) for page, kind, _ in SAMPLES} == of_both | {("docs/universal.md", "sh")}
