"""Calls as code: it runs as it is, whatever the call holds, and makes the same call again."""

import json
import os
import subprocess
import sys

import pytest

from penstock.dashboard import as_code
from tests.dashboard.conftest import ACCOUNT, TOKEN
from tests.kit.journey import CLIENTS, NODE

NASTY = '\'; touch pwned #\n""" ${HOME} `id` $(id) \\ \u2028 </script> {{7*7}} %s é \U0001f600'
CHAT = {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": NASTY}]}
MESSAGES = {"model": "anthropic/claude-haiku-4-5", "max_tokens": 50, "messages": CHAT["messages"]}
OWN_KEY = {"model": "gpt-4o-mini", "prompt": "Hi", "messages": CHAT["messages"]}  # sent with a key of the caller's
GEMINI = {"contents": [{"parts": [{"text": NASTY}]}]}
RUN = {
    "curl": lambda code: ["sh", "-c", code],
    "Python": lambda code: [sys.executable, "-c", code],
    "TypeScript": lambda code: [NODE, "--input-type=module", "-e", code],
}


@pytest.mark.parametrize(
    ("language", "path", "body"),
    [
        ("curl", "compat/chat/completions", CHAT),
        ("Python", "compat/chat/completions", CHAT | {"stream": True}),
        ("Python", "compat/messages", MESSAGES),
        ("Python", "google-ai-studio/v1beta/models/gemini-2.5-flash:generateContent", GEMINI),
        ("TypeScript", "compat/chat/completions", CHAT | {"stream": True}),
        ("TypeScript", "google-ai-studio/v1beta/models/gemini-2.5-flash:generateContent", GEMINI),
        ("curl", "openai/chat/completions", OWN_KEY),
        ("Python", "openai/chat/completions", OWN_KEY),
        ("TypeScript", "openai/chat/completions", OWN_KEY),
        ("Python", "anthropic/v1/complete", OWN_KEY),
    ],
)
def test_the_code_makes_the_call_again(house, api, tmp_path, language, path, body):
    mark = f"{language} {path}"
    key = as_code.Key("x-api-key" if "complete" in path else "authorization", "Bearer ", "OWN_KEY")
    key = key if body is OWN_KEY else None
    headers = {"cf-aig-metadata": json.dumps({"of": mark, "nasty": 'it\'s "so"'})}
    told = dict(as_code.snippets(house.origin, ACCOUNT, "default", path, body, headers, key=key))
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PENSTOCK_API_TOKEN": TOKEN, "OWN_KEY": "k"}
    where = CLIENTS if language == "TypeScript" else tmp_path
    command = RUN[language](told[language])
    done = subprocess.run(command, cwd=where, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert not (where / "pwned").exists()
    filters = json.dumps([{"key": "metadata.of", "operator": "eq", "value": [mark]}])
    answer = api.http.get(
        f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/default/logs", params={"filters": filters}
    )
    (row,) = answer.json()["result"]
    stored = api.http.get(f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/default/logs/{row['id']}/request")
    assert stored.json() == body
    assert TOKEN not in "".join(told.values())
