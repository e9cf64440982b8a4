"""``penstock token`` on a real database."""

import asyncio
import json
import os
import pwd
import re
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from penstock.control import first_start
from penstock.core import instants, secrets
from penstock.model.token import SCOPES, Scope
from penstock.storage import accounts, sqlite
from tests.kit.client import connected
from tests.kit.command import Done, command, spawned
from tests.kit.process import PATIENCE, environment, serving
from tests.kit.store import first_started

ACCOUNT = "0123456789abcdef" * 2
OTHER = "f" * 32
SECRET = r"pst_[A-Za-z0-9]{40}[0-9a-f]{8}"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """As the first start of a server left it."""
    first_started(tmp_path, account_id=ACCOUNT, api_token="a-token-of-the-operators-own").store.close()
    return tmp_path


def penstock(data_dir: Path, *words: str, **environ: str) -> Done:
    return command(*words, cwd=data_dir, environ={"PENSTOCK_DATA_DIR": str(data_dir)} | environ)


def done(data_dir: Path, *words: str, **environ: str) -> str:
    result = penstock(data_dir, *words, **environ)
    assert (result.status, result.err) == (0, "")
    return result.out


def listed(data_dir: Path, *words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done(data_dir, "token", "list", "--json", *words).splitlines()]


def test_a_token_is_made_listed_and_revoked(data_dir: Path):
    said = done(data_dir, "token", "create", "--name", "ci", "--scope", "run", "--scope", "read")
    (value,) = re.findall(SECRET, said)
    assert "shown this once" in said
    first, made = listed(data_dir)
    assert first["name"] == "PENSTOCK_API_TOKEN"
    assert made["id"] in said
    assert abs(instants.parse(made.pop("created_at")) - time.time_ns() // 1_000_000) < 600_000
    assert made == {
        "account": ACCOUNT,
        "id": made["id"],
        "name": "ci",
        "scopes": [Scope.READ, Scope.RUN],
        "email": None,
        "gateways": None,
        "expires_on": None,
        "budget": None,
        "rate_limit": None,
        "models": None,
        "status": "active",
    }
    with sqlite3.connect(data_dir / "penstock.db") as connection:
        (row,) = connection.execute("SELECT hash FROM tokens WHERE id = ?", (made["id"],)).fetchall()
    connection.close()
    assert row[0] == secrets.digest(value.encode())
    assert done(data_dir, "token", "revoke", made["id"]) == f"Revoked 'ci' ({made['id']}).\n"
    assert [row["name"] for row in listed(data_dir)] == ["PENSTOCK_API_TOKEN"]


def test_quiet_prints_the_token_alone(data_dir: Path):
    said = done(data_dir, "token", "create", "--name", "x", "--all", "--quiet", "--email", "mia@example.org")
    assert re.fullmatch(SECRET + "\n", said)
    made = listed(data_dir)[-1]
    assert (set(made["scopes"]), made["email"]) == (set(SCOPES), "mia@example.org")


def test_the_table_reads_well(data_dir: Path):
    done(
        data_dir,
        "token",
        "create",
        "--name",
        "ci",
        "--scope",
        "metadata",
        "--scope",
        "workers",
        "--expires",
        "2999-01-31",
    )
    heading, first, second = done(data_dir, "token", "list").splitlines()
    assert heading.split() == ["id", "name", "created", "expires", "e-mail", "gateways", "scopes"]
    assert first.split()[1] == "PENSTOCK_API_TOKEN"
    assert second.endswith("2999-01-31 00:00  -       all       metadata, workers")
    assert "\x1b" not in heading + first + second


def virtual_key(data_dir: Path, *words: str) -> dict[str, Any]:
    done(data_dir, "token", "create", "--name", "team", "--scope", "run", *words)
    return listed(data_dir)[-1]


def test_what_its_holder_may_spend_and_call(data_dir: Path):
    models = ("--models", "openai/*", "--models", "anthropic/claude-haiku-*")
    made = virtual_key(data_dir, "--budget", "50/month", "--rate", "60/min", *models)
    budget = made["budget"]
    assert (budget["amount"], budget["window"], budget["technique"]) == (50, "month", "fixed")
    assert made["rate_limit"] == {"limit": 60, "window": 60, "technique": "fixed"}
    assert made["models"] == ["openai/*", "anthropic/claude-haiku-*"]
    heading, first, second = done(data_dir, "token", "list").splitlines()
    assert heading.split()[5:] == ["gateways", "budget", "rate", "models", "scopes"]
    assert re.split("  +", first)[6:9] == ["-", "-", "-"]
    assert re.split("  +", second)[6:] == ["$50/month", "60/min", "openai/*, anthropic/claude-haiku-*", "run"]
    card = dict(re.split("  +", line, maxsplit=1) for line in done(data_dir, "token", "show", made["id"]).splitlines())
    assert (card["id"], card["name"], card["budget"], card["rate"]) == (made["id"], "team", "$50/month", "60/min")
    assert json.loads(done(data_dir, "token", "show", made["id"], "--json"))["models"] == made["models"]


def test_what_is_spent_is_told_as_far_as_it_is_written(data_dir: Path):
    made = virtual_key(data_dir, "--budget", "50/month")
    assert (made["budget"]["spent"], made["budget"]["reserved"]) == (0, None)
    start = instants.parse(made["budget"]["resets_at"]) - 86_400_000  # a day of this month, if not its last
    with sqlite3.connect(data_dir / "penstock.db") as connection:
        for begun, amount in ((start, 12_340_000_000), (start - 40 * 86_400_000, 99)):
            connection.execute("INSERT INTO spent VALUES (?, ?, ?, ?)", (f"token:{made['id']}", begun, 0, amount))
    connection.close()
    assert listed(data_dir)[-1]["budget"]["spent"] == 12.34
    assert re.search(
        r"\nspent +\$12\.34, until [0-9]{4}-[0-9]{2}-01 00:00\n", done(data_dir, "token", "show", made["id"])
    )


def test_a_change_leaves_what_is_not_named_and_takes_away_what_is_none(data_dir: Path):
    made = virtual_key(data_dir, "--budget", "0.5", "--rate", "2/s sliding", "--models", "*", "--expires", "2999-01-31")
    assert (made["budget"]["window"], made["rate_limit"]["technique"]) == ("forever", "sliding")
    said = done(data_dir, "token", "edit", made["id"], "--budget", "$1.5/3600s sliding", "--name", "others")
    assert "$1.5/3600s sliding" in said
    found = listed(data_dir)[-1]
    budget = found["budget"]
    assert (budget["amount"], budget["window"], budget["technique"]) == (1.5, 3600, "sliding")
    kept = ("id", "created_at", "rate_limit", "models", "expires_on", "scopes")
    assert {name: found[name] for name in kept} == {name: made[name] for name in kept}
    done(
        data_dir, *("token", "edit", made["id"], "--budget", "none", "--rate", "none"),
        *("--models", "none", "--expires", "never"),
    )  # fmt: skip
    gone = listed(data_dir)[-1]
    assert [gone[name] for name in ("budget", "rate_limit", "models", "expires_on")] == [None] * 4
    trail = [json.loads(line) for line in done(data_dir, "audit", "--json").splitlines()]
    changes = [row for row in trail if "token.update" in json.dumps(row)]
    assert len(changes) == 2


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        (("--budget", "much"), "--budget: must be an amount"),
        (("--budget", "50/year"), "--budget: must be an amount"),
        (("--budget", "50 sliding"), "--budget: must be an amount"),
        (("--budget", "0/day"), "--budget: "),
        (("--budget", "50/0s"), "--budget: "),
        (("--rate", "60"), "--rate: must be a number of calls"),
        (("--rate", "0/min"), "--rate: "),
        (("--models", "gpt-4o"), "--models: must be provider/model"),
    ],
)
def test_a_limit_that_is_none_names_its_flag(data_dir: Path, words: tuple[str, ...], flag: str):
    made = virtual_key(data_dir)
    for verb in (("create", "--name", "x", "--scope", "run"), ("edit", made["id"])):
        result = penstock(data_dir, "token", *verb, *words)
        assert result.status == 2, result
        assert flag in result.err
    assert listed(data_dir)[-1] == made


def test_a_change_of_nothing_is_refused(data_dir: Path):
    result = penstock(data_dir, "token", "edit", "0" * 32)
    assert (result.status, "say what is to be otherwise" in result.err) == (2, True)
    assert "there is no token" in penstock(data_dir, "token", "edit", "0" * 32, "--budget", "5").err


@pytest.mark.parametrize(("span", "hours"), [("36h", 36), ("30d", 720), ("2w", 336)])
def test_an_expiry_may_count_from_now(data_dir: Path, span: str, hours: int):
    done(data_dir, "token", "create", "--name", "x", "--all", "--expires", span)
    made = listed(data_dir)[-1]
    lasts = instants.parse(made["expires_on"]) - instants.parse(made["created_at"])
    assert abs(lasts - hours * 3_600_000) < 60_000


def test_scopes_may_be_spelt_in_full_and_twice(data_dir: Path):
    words = ("--scope", "ai gateway write", "--scope", "WRITE", "--scope", "Workers AI Read")
    done(data_dir, "token", "create", "--name", "x", *words)
    assert listed(data_dir)[-1]["scopes"] == [Scope.WRITE, Scope.WORKERS]


def test_a_gateway_that_does_not_exist_is_a_warning(data_dir: Path):
    result = penstock(data_dir, "token", "create", "-q", "--name", "x", "--scope", "run", "--gateway", "later")
    assert result.status == 0
    assert result.err == "There is no gateway 'later' yet: the token will open it once there is.\n"
    assert re.fullmatch(SECRET + "\n", result.out)
    assert listed(data_dir)[-1]["gateways"] == ["later"]


WRONG = {
    "an unknown scope": (("--scope", "rum"), "--scope: there is no scope 'rum'; did you mean 'run'?"),
    "a scope like none": (("--scope", "42"), "there are read, metadata, write, run, billing, workers."),
    "no scope": ((), "--scope, repeated for several, or --all"),
    "too many scopes": (("--all", "--scope", "run"), "not both"),
    "an empty name": (("--all", "--name", ""), "--name: String should have at least 1 character"),
    "no e-mail": (("--all", "--email", "mia"), "--email: must be an e-mail address"),
    "a gateway that cannot be": (("--all", "--gateway", "A B"), "--gateway: an id is 1 to 64 of a-z, 0-9, _ and -"),
    "no time": (("--all", "--expires", "soon"), "--expires: must be a date and time in ISO 8601"),
    "the past": (("--all", "--expires", "2020-01-01"), "--expires: must be in the future"),
    "the next second": (("--all", "--expires", "0d"), "--expires: must be in the future"),
    "an unknown account": (("--all", "--account", OTHER), f"there is no account {OTHER}; there are: {ACCOUNT}"),
    "a wrong setting": (("--all", "--database-url", "mysql://x"), "database_url"),
}


@pytest.mark.parametrize(("words", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(data_dir: Path, words: tuple[str, ...], said: str):
    result = penstock(data_dir, "token", "create", "--name", "x", *words)
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("penstock token create: ")
    assert said in result.err
    assert len(listed(data_dir)) == 1


@pytest.mark.parametrize(
    "words", [("token", "list"), ("token", "create", "--name", "x", "--all"), ("token", "revoke", "x"), ("audit",)]
)
def test_without_a_database_it_says_what_to_do_and_makes_none(tmp_path: Path, words: tuple[str, ...]):
    result = penstock(tmp_path, *words)
    assert (result.status, result.out) == (1, "")
    assert "There is no database at" in result.err
    assert "start the server once" in result.err
    assert not list(tmp_path.iterdir())


def test_an_unknown_token_cannot_be_revoked(data_dir: Path):
    result = penstock(data_dir, "token", "revoke", "nobody")
    assert result.status == 1
    assert "there is no token of the id nobody" in result.err


def test_the_file_and_the_environment_say_where_the_database_is(data_dir: Path, tmp_path: Path):
    file = tmp_path / "penstock.toml"
    file.write_text(f'data_dir = "{data_dir}"\n')
    url = f"sqlite:///{data_dir / 'penstock.db'}"
    for words, environ in (
        (("--config", str(file)), {}),
        (("--data-dir", str(data_dir)), {}),
        (("--database-url", url), {}),
        ((), {"PENSTOCK_DATABASE_URL": url}),
    ):
        assert "PENSTOCK_API_TOKEN" in done(data_dir, "token", "list", *words, **({"PENSTOCK_DATA_DIR": ""} | environ))


def test_where_there_are_several_accounts_one_is_named(data_dir: Path):
    with closing(sqlite.connect(data_dir / "penstock.db")) as connection:
        accounts.add_account(connection, OTHER, 4_000_000_000_000)
    unnamed = penstock(data_dir, "token", "create", "--name", "x", "--all")
    assert unnamed.status == 2
    assert f"--account: there are several; name one of: {ACCOUNT}, {OTHER}" in unnamed.err
    done(data_dir, "token", "create", "--name", "theirs", "--all", "--account", OTHER)
    done(data_dir, "token", "create", "--name", "ours", "--all", PENSTOCK_ACCOUNT_ID=ACCOUNT)
    assert [row["name"] for row in listed(data_dir, "--account", OTHER)] == ["theirs"]
    everything = {row["name"]: row["account"] for row in listed(data_dir)}
    assert everything == {"PENSTOCK_API_TOKEN": ACCOUNT, "ours": ACCOUNT, "theirs": OTHER}
    assert done(data_dir, "token", "list").split()[1] == "account"
    theirs = listed(data_dir, "--account", OTHER)[0]["id"]
    done(data_dir, "token", "revoke", theirs)
    assert listed(data_dir, "--account", OTHER) == []


def test_it_waits_for_its_turn_to_write(data_dir: Path):
    """Another process holds the database for a while."""
    holder = sqlite3.connect(data_dir / "penstock.db", isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    words = [sys.executable, "-m", "penstock", "token", "create", "-q", "--name", "x", "--all"]
    environ = environment({"PENSTOCK_DATA_DIR": str(data_dir)})
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environ) as process:
        release = threading.Timer(2, holder.execute, ["COMMIT"])
        release.start()
        assert process.stdout is not None
        assert re.fullmatch(SECRET + "\n", process.stdout.read())
        assert process.wait(20) == 0
        release.join()
    holder.close()


def test_where_nothing_can_be_written_it_says_so(data_dir: Path):
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "penstock", "token", "list"],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment({"PENSTOCK_DATA_DIR": str(data_dir)}),
        )
    assert result.returncode == 1
    assert result.stderr == "penstock token list: cannot write: No space left on device\n"


def test_a_name_cannot_write_to_the_terminal(data_dir: Path):
    done(data_dir, "token", "create", "--name", "a\u202eb\u2028c", "--all")
    assert "a·b·c" in done(data_dir, "token", "list")


async def test_a_running_server_hears_of_it(tmp_path: Path):
    async with serving(tmp_path / "data") as server:
        environ = {"PENSTOCK_DATA_DIR": str(server.data_dir)}
        value = spawned("token", "create", "-q", "--name", "x", "--scope", "read", environ=environ).out.strip()
        await answers(server.port, value, 200)
        made = json.loads(spawned("token", "list", "--json", environ=environ).out.splitlines()[-1])
        assert spawned("token", "revoke", made["id"], environ=environ).status == 0
        await answers(server.port, value, 401)


async def answers(port: int, secret: str, status: int) -> None:
    """Returns when the server does."""
    async with asyncio.timeout(PATIENCE):
        while await verify(port, secret) != status:
            await asyncio.sleep(0.01)


async def verify(port: int, secret: str) -> int:
    request = f"GET /client/v4/user/tokens/verify HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {secret}\r\n\r\n"
    async with connected(port) as client:
        return (await client.ask(request.encode())).status


def test_a_token_that_was_revoked_stays_so_when_the_server_starts_with_it_again(data_dir: Path):
    (given,) = listed(data_dir)
    done(data_dir, "token", "revoke", given["id"])
    first_start.prepare(data_dir, account_id=ACCOUNT, api_token="a-token-of-the-operators-own").store.close()
    assert listed(data_dir) == []


def test_who_did_it_is_what_the_operating_system_says(data_dir: Path):
    done(data_dir, "token", "create", "--name", "x", "--all", USER="somebody-else", LOGNAME="somebody-else")
    (row,) = [json.loads(line) for line in done(data_dir, "audit", "--json").splitlines()]
    assert (row["actor"], row["actor_name"]) == ("command line", pwd.getpwuid(os.getuid()).pw_name)
