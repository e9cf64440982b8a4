"""The examples of docs/extending.md work: a server runs from a copy of the package with all of them in it."""

import asyncio
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.kit.client import PATIENCE, Answer, connected
from tests.kit.process import Serving, serving
from tests.kit.provider import Peer, providing
from tests.kit.releases import copied

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text("utf-8")
BLOCKS = re.findall(
    r"^(?:New file|In) `([\w/.]+)`:\n\n```(\w+)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL
)  # path, language, text
RANKED = b'{"model": "r", "order": [1, 0], "billed": {"read": 30, "cached": 10, "written": 2}}'
TELLING = b'{"model": "m", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}'
BUSY = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"
DONE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"


def insert(file: Path, text: str) -> None:
    """Inserts the lines with ``+`` after the line above them, which the file has once; ``@@`` parts one place from the
    next.
    """
    for place in text.split("@@\n"):
        line, *more = place.splitlines(keepends=True)
        lines = file.read_text("utf-8").splitlines(keepends=True)
        assert lines.count(line[1:]) == 1, f"{file.name}: has {lines.count(line[1:])} lines {line[1:]}"
        assert more and all(one.startswith("+") for one in more), place
        at = lines.index(line[1:]) + 1
        lines[at:at] = [one[1:] for one in more]
        file.write_text("".join(lines), "utf-8")


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("extended")
    copied(place)
    for path, language, text in BLOCKS:
        file = place / path
        if language == "diff":
            insert(file, text)
        else:
            assert not file.exists(), f"{path} is not new"
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, "utf-8")
    return place


class Acme:
    """The provider of the example. ``came``: the requests; ``busy``: how many it answers 503 next."""

    def __init__(self) -> None:
        self.came: list[bytes] = []
        self.busy = 0

    async def serve(self, peer: Peer) -> None:
        while True:
            self.came.append(await peer.request())
            told = RANKED if b"/rank " in self.came[-1] else TELLING
            await peer.say(BUSY if self.busy else DONE % (len(told), told))
            self.busy = max(0, self.busy - 1)


@pytest.fixture(scope="module")
def acme() -> Acme:
    return Acme()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(extended: Path, acme: Acme) -> AsyncGenerator[Serving]:
    async with (
        providing(acme.serve) as provider,
        serving(
            extended / "data",
            config=f'[providers.acme]\nbase_url = "{provider.url}/v1"\n',
            environ={"PYTHONPATH": str(extended)},
            simulate=False,
        ) as started,
    ):
        yield started


async def call(server: Serving, *headers: str, gateway: str = "default", path: str = "chat/completions") -> Answer:
    body = '{"model": "m", "messages": []}'
    target = f"/v1/{server.account}/{gateway}/acme/{path}"
    head = [f"POST {target} HTTP/1.1", "host: x", "content-type: application/json", f"content-length: {len(body)}"]
    async with connected(server.port) as client:
        return await client.ask("\r\n".join([*head, *headers, "", body]).encode())


async def counted(server: Serving, metric: str, value: float) -> None:
    """Returns when ``metric`` has this value; in its labels, ``{account}`` stands for the account."""
    async with asyncio.timeout(PATIENCE):
        while (await server.metrics()).get(metric.replace("{account}", server.account)) != value:
            await asyncio.sleep(0.01)


async def test_every_block_of_code_is_applied():
    assert len(BLOCKS) == len(re.findall(r"^```\w", PAGE, re.MULTILINE)) > 0


async def test_the_code_is_as_the_checks_want_it(extended: Path):
    changed = sorted({path for path, *_ in BLOCKS if path.endswith(".py")})
    for check in (["check"], ["format", "--diff"]):
        ruff = [sys.executable, "-m", "ruff", *check, "--quiet", "--no-cache", "--config", str(ROOT / "pyproject.toml")]
        done = subprocess.run([*ruff, *changed], check=False, capture_output=True, text=True, cwd=extended)
        assert done.returncode == 0, done.stdout + done.stderr


async def test_the_provider_is_called_and_its_tokens_are_counted(server: Serving, acme: Acme, extended: Path):
    await server.make_gateway("plain")
    row = tomllib.loads((extended / "penstock" / "providers" / "catalog" / "acme.toml").read_text("utf-8"))
    example = row["examples"][0]
    answer = await call(server, "authorization: Bearer key", gateway="plain", path=example["path"])
    assert (answer.status, answer.body) == (200, TELLING)
    assert acme.came[-1].split()[1].decode() == urlsplit(example["url"]).path
    assert b"\r\nauthorization: Bearer key\r\n" in acme.came[-1]
    labels = 'account="{account}",direction="out",gateway="plain",provider="acme"'
    await counted(server, f"penstock_tokens_total{{{labels}}}", 4)


async def test_answers_in_the_dialect_are_counted(server: Serving):
    await server.make_gateway("ranked")
    assert (await call(server, gateway="ranked", path="v1/rank")).body == RANKED
    for direction, count in (("in", 30), ("out", 2)):
        labels = f'account="{{account}}",direction="{direction}",gateway="ranked",provider="acme"'
        await counted(server, f"penstock_tokens_total{{{labels}}}", count)


@pytest.mark.parametrize("header", ["x-any: x", "cf-aig-backoff: constant"])
async def test_the_setting_acts(header: str, server: Serving, acme: Acme):
    await server.make_gateway("patient", retry_max_attempts=2, retry_delay=60_000, retry_max_delay=1)
    acme.came.clear()
    acme.busy = 1
    answer = await call(server, header, gateway="patient")  # for which it does not wait the half minute of retry_delay
    assert (answer.status, len(acme.came)) == (200, 2)


async def test_the_feature_refuses_calls_where_its_setting_is_on(server: Serving):
    await server.make_gateway("strict", require_metadata=True)
    refused = await call(server, gateway="strict")
    assert (refused.status, b"cf-aig-metadata: is required" in refused.body) == (400, True)
    assert (await call(server, 'cf-aig-metadata: {"team": "a"}', gateway="strict")).status == 200
    assert (await call(server)).status == 200


async def test_the_decision_is_in_the_header_the_row_and_the_schema(server: Serving):
    await server.make_gateway("telling", require_metadata=True)
    for headers, given in ((('cf-aig-metadata: {"team": "a"}',), True), ((), False)):
        answer = await call(server, *headers, "cf-aig-explain: 1", gateway="telling")
        assert json.loads(answer.headers["cf-aig-explain"])["decisions"] == {"metadata": {"given": given}}
        path = f"/accounts/{{account}}/ai-gateway/gateways/telling/logs/{answer.headers['cf-aig-log-id']}"
        status, row = await server.ask("GET", path)
        assert (status, row["result"]["decisions"]) == (200, {"metadata": {"given": given}})
    _, document = await server.get("/openapi.json")
    shown = json.loads(document)["components"]["schemas"]["LogDetail"]["properties"]["decisions"]["properties"]
    assert shown["metadata"]["anyOf"][0]["properties"] == {"given": {"type": "boolean"}}


async def test_the_resource_answers_those_of_the_account(server: Serving):
    status, told = await server.ask("GET", "/accounts/{account}/ai-gateway/providers")
    assert status == 200
    assert {"id": "acme", "docs": "https://docs.acme.example"} in told["result"]
    assert (await server.ask("GET", f"/accounts/{'0' * 32}/ai-gateway/providers"))[0] == 404


async def test_the_metric_is_told(server: Serving):
    await server.make_gateway("measured")
    await call(server, gateway="measured")
    labels = 'account="{account}",gateway="measured",provider="acme"'
    await counted(server, f"penstock_answer_bytes_total{{{labels}}}", len(TELLING))
