"""``penstock prices``."""

import json
from pathlib import Path

from tests.kit.command import command, spawned

OWN = """
[[prices]]
provider = "openai"
model = "gpt-4o*"
valid_from = 2026-12-01
tokens = { output = 8.5 }
"""


def test_each_rate_is_shown_with_its_source_and_date(tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text(OWN)
    done = spawned("prices", "show", "gpt-4o", "--provider", "openai", "--at", "2026-12-01", cwd=tmp_path)
    assert (done.status, done.err) == (0, "")
    shown = [line.split() for line in done.out.splitlines()]
    assert shown[0] == ["gpt-4o", "at", "openai"]
    assert ["output", "$8.5", "per", "million", "tokens", "prices.toml,", "entry", "1,", "since", "2026-12-01"] in shown
    assert ["input", "$2.5", "per", "million", "tokens", "genai-prices"] in [words[:6] for words in shown]


def test_day_terms_and_the_file_can_be_chosen(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("prices_file = 'other.toml'")
    (tmp_path / "other.toml").write_text(OWN)

    def rates(*words: str) -> dict[str, float]:
        done = command(
            "prices", "show", *words, "--provider", "openai", "--json", "--config", "mine.toml", cwd=tmp_path
        )
        return {line["kind"]: line["dollars"] for line in map(json.loads, done.out.splitlines())}

    assert rates("gpt-4o", "--at", "2026-11-30")["output"] == 10
    assert rates("gpt-4o", "--at", "2026-12-02")["output"] == 8.5
    assert rates("o3", "--when", "service_tier=flex")["input"] == 1


def test_without_a_provider_all_are_shown_that_have_a_price(tmp_path: Path) -> None:
    done = command("prices", "show", "gpt-4o", "--json", cwd=tmp_path)
    assert {"openai", "azure-openai"} <= {json.loads(line)["provider"] for line in done.out.splitlines()}


def test_what_is_not_known_or_wrong_is_said(tmp_path: Path) -> None:
    done = command("prices", "show", "no-such-model", cwd=tmp_path)
    assert (done.status, done.out, done.err) == (1, "", "No price is known for no-such-model.\n")
    done = command("prices", "show", "gpt-4o", "--provider", "opnai", cwd=tmp_path)
    assert done.status == 2
    assert "--provider: there is no 'opnai'" in done.err
    (tmp_path / "prices.toml").write_text(OWN.replace("output", "otput"))
    done = command("prices", "show", "gpt-4o", cwd=tmp_path)
    assert done.status == 2
    assert "prices.toml: prices[1] (openai gpt-4o*): tokens.otput: there is no such kind" in done.err
