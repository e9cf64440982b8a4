"""The code that a gateway's page shows is pasted and run as it is, through a gateway that asks for the token."""

import html
import os
import re
import subprocess
import tomllib
from collections.abc import Mapping
from contextlib import redirect_stdout
from io import StringIO

import httpx
import pytest

from penstock.dashboard.snippets import CLIENTS
from tests.dashboard.conftest import TOKEN
from tests.kit.journey import CLIENTS as NODE_MODULES
from tests.kit.journey import NODE

ASKED = "You said: Hello"  # what a simulated model answers


@pytest.fixture(scope="module")
def shown(pages, api):
    """The code by its client, as the page has it."""
    page = pages.get(f"/ui/gateways/{api.gateway('snippets', authentication=True)}")
    texts = re.findall(r"<summary>([^<]+)</summary><div.*?><code>(.*?)</code>", page.html, re.DOTALL)
    return {html.unescape(name): html.unescape(text) for name, text in texts}


@pytest.fixture(autouse=True)
def _token(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PENSTOCK_API_TOKEN", TOKEN)


def _run(*command: str) -> str:
    done = subprocess.run(command, cwd=NODE_MODULES, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _call(url: str, body: Mapping[str, object]) -> str:
    answer = httpx.post(url, json=body, headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_each_client_has_its_code(shown):
    assert list(shown) == list(CLIENTS)


def test_curl_calls(shown):
    assert ASKED in _run("sh", "-ec", shown["curl"].replace("curl ", "curl -sS "))


@pytest.mark.parametrize("name", ["Python: openai", "Python: anthropic", "LangChain"])
def test_python_calls(shown, name):
    with redirect_stdout(StringIO()) as said:
        exec(shown[name], scope := {})
    client = scope.get("client") or scope["model"].root_client
    client.close()
    assert said.getvalue().strip() == ASKED


@pytest.mark.parametrize("client", ["TypeScript: openai", "AI SDK"])
def test_typescript_calls(shown, client):
    assert _run(str(NODE), "--input-type=module", "-e", shown[client]).strip() == ASKED


def test_claude_code_finds_both_of_its_addresses(shown):
    base = re.findall(r'ANTHROPIC_BASE_URL="(.*)"', shown["Claude Code"])[0]
    assert 'ANTHROPIC_AUTH_TOKEN="$PENSTOCK_API_TOKEN"' in shown["Claude Code"]
    body = {"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "Hello"}]}
    assert ASKED in _call(f"{base}/v1/messages?beta=true", body | {"max_tokens": 100})


def test_codex_finds_its_responses(shown):
    settings = tomllib.loads(shown["Codex"])
    provider = settings["model_providers"][settings["model_provider"]]
    assert (provider["env_key"], provider["wire_api"]) == ("PENSTOCK_API_TOKEN", "responses")
    assert ASKED in _call(f"{provider['base_url']}/responses", {"model": settings["model"], "input": "Hello"})


@pytest.mark.parametrize("client", ["Cursor", "Other tools"])
def test_tools_that_take_a_base_url_find_their_chat(shown, client):
    (base,) = re.findall(r"http[^\s\"]+", shown[client])
    _call(f"{base}/chat/completions", {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]})
