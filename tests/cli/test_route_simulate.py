"""``penstock routes simulate`` on a real database."""

import json
from pathlib import Path

import pytest

from tests.cli.test_routes import a_file, data_dir, done, penstock
from tests.control.routes.conftest import SAMPLE, a_graph
from tests.kit import routes as kit

__all__ = ["data_dir"]
GRAPH = [
    kit.start("plan"),
    kit.conditional("plan", {"metadata.plan": "free", "metadata.n": 1, "headers.x-a": "b=c"}, "quota", "dear"),
    kit.rate("quota", "cheap", "dear"),
    kit.model("cheap", fallback="dear", model="gpt-4o-mini", timeout=500, retries=2),
    kit.model("dear", provider="anthropic", model="claude-nonesuch"),
    kit.end(),
]
CALL = ("--metadata", "plan=free", "--metadata", "n=1", "--header", "X-A=b=c")


def test_it_prints_the_path_and_what_would_be_sent(data_dir: Path, tmp_path: Path):
    done(data_dir, "import", a_file(tmp_path, "r", GRAPH))
    told = done(data_dir, "simulate", "r", *CALL, "--fail", "cheap").splitlines()
    rows = [line.split()[:3] for line in told[1 : told.index("")]]
    assert told[0] == "Route r, version 1"
    assert rows == [
        ["element", "type", "output"],
        ["start", "start", "next"],
        ["plan", "conditional", "true"],
        ["quota", "rate", "success"],
        ["cheap", "model", "fallback"],
        ["dear", "model", "success"],
        ["end", "end", "-"],
    ]
    text = "\n".join(told)
    for said in (
        "not counted here",
        "assumed to fail",
        "cheap: openai/gpt-4o-mini\n  https://api.openai.com/v1/chat/completions; key: none;",
        "; first byte within 0.5 s; retries: 2",
        "there is no key for openai",
        "translated into anthropic",
        "no price of 'claude-nonesuch' is known",
        "The answer is that of dear: anthropic/claude-nonesuch.",
    ):
        assert said in text


def test_a_version_or_a_file_is_simulated_before_it_is_deployed(data_dir: Path, tmp_path: Path):
    def model(*words: str) -> str:
        return json.loads(done(data_dir, "simulate", *words, "--json"))["answer"]["model"]

    done(data_dir, "import", a_file(tmp_path, "r", a_graph("m1")))
    done(data_dir, "import", "--draft", a_file(tmp_path, "r", a_graph("m2")))
    (tmp_path / "list.json").write_text(json.dumps(a_graph("m3")))
    assert model("r") == "m1"
    assert model("r", "--version", "2") == "m2"
    assert model("r", "--file", str(tmp_path / "list.json")) == "m3"
    assert model("--file", str(tmp_path / "r.json")) == "m2"


def test_body_shares_and_outputs_can_be_told(data_dir: Path, tmp_path: Path):
    graph = [
        kit.start("share"),
        kit.percentage("share", {"10%": "size", "else": "m"}),
        kit.conditional("size", {"body.n": 2}, "m", "end"),
        kit.model("m"),
        kit.end(),
    ]
    file, body = a_file(tmp_path, "r", graph), tmp_path / "body.json"
    body.write_text('{"n": 2}')

    def way(*words: str) -> list[str]:
        return [
            one["output"] for one in json.loads(done(data_dir, "simulate", "--file", file, *words, "--json"))["path"]
        ]

    assert way("--draw", "0.09", "--body", '{"n": 2}')[:3] == ["next", "10%", "true"]
    assert way("--draw", "0.11", "--body", f"@{body}")[:2] == ["next", "else"]
    assert way("--assume", "share=10%", "--body", f"@{body}")[:3] == ["next", "10%", "true"]
    assert way("--assume", "share=10%")[:3] == ["next", "10%", "false"]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ([], 2, "name a route, or a --file"),
        (["none"], 1, "the gateway default has no route none"),
        (["r", "--version", "9"], 1, "the route r has no version 9"),
        (["r", "--fail", "x"], 2, "the route has no element 'x'"),
        (["r", "--metadata", "x"], 2, "--metadata: must be"),
        (["r", "--body", "{"], 2, "--body: cannot be read"),
        (["r", "--draw", "1"], 2, "draw: "),
        (["--file", "nowhere.json"], 2, "--file: cannot be read"),
        (["--file", "{broken}"], 2, "elements.0.outputs.next"),
    ],
)
def test_what_is_refused(data_dir: Path, tmp_path: Path, words: list[str], status: int, said: str):
    done(data_dir, "import", a_file(tmp_path, "r", a_graph()))
    broken = a_file(tmp_path, "broken", SAMPLE)
    result = penstock(data_dir, "simulate", *(word.replace("{broken}", broken) for word in words))
    assert (result.status, result.out) == (status, "")
    assert said in result.err
