import subprocess
import sys

import pytest

from penstock import __version__
from tests.kit.command import command, spawned


def test_it_says_its_version():
    assert spawned("--version") == (0, f"penstock {__version__}\n", "")


def test_without_a_command_it_lists_them():
    done = command()
    assert all(f"\n  {name} " in done.out + done.err for name in ("serve", "mock", "logs"))


def test_help_imports_nothing_heavy(tmp_path):
    heavy = {
        "uvicorn",
        "uvloop",
        "starlette",
        "sqlalchemy",
        "alembic",
        "genai_prices",
        "prometheus_client",
        "rich.console",
    }
    code = f"import sys, penstock.cli.main; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_wrong_settings_are_told_together_before_anything_starts(tmp_path):
    done = command("serve", "--port", "x", "--workers", "3", cwd=tmp_path, environ={"PENSTOCK_MAX_BODY": "big"})
    assert done.status == 2
    assert done.err == (
        "Penstock cannot start with these settings:\n"
        "  max_body (variable PENSTOCK_MAX_BODY): must be a size such as 500000, 10MB or 64KiB, not 'big'\n"
        "  port (flag --port): must be a whole number, 0 to 65535, not 'x'\n"
        "  workers: more than one share a PostgreSQL database and a Redis server: set database_url and redis_url (one "
        "process alone writes to an SQLite file, and counts in its own memory)\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [("sing",), ("serve", "--colour", "red"), ("logs",)])
def test_what_it_does_not_know_ends_with_usage(arguments):
    done = command(*arguments)
    assert done.status == 2
    assert "Usage: " in done.err + done.out


@pytest.mark.parametrize("name", ["token create", "token list", "token revoke", "audit"])
def test_help_says_what_kind_of_value_a_flag_takes(name):
    said = command(*name.split(), "--help").out
    assert "--data-dir PATH" in said
    assert not {"<str>", "<int>", "TEXT", "INTEGER"} & set(said.replace("[", " ").split())
