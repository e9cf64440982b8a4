"""``penstock serve`` as a process: what the first start makes and prints, and what is refused with which words."""

import re
import resource
import shlex
import socket
import sqlite3
import stat
import subprocess
import sys
from contextlib import AsyncExitStack, closing

import pytest

from penstock.control.first_start import CREDENTIALS
from penstock.core.codec import decode
from penstock.storage import opening, schema, sqlite_file
from tests.kit.command import command
from tests.kit.process import Refused, environment, serving

ACCOUNT = "fedcba9876543210" * 2
TOKEN = "a-token-of-my-own-choice"


async def test_the_first_start_makes_an_account_and_a_token_and_says_them_once(tmp_path):
    async with serving(tmp_path / "data", migrated=False) as first:
        token = re.search(r"API token +(pst_[A-Za-z0-9]{48})$", first.greeting, re.MULTILINE)
        assert token
        credentials = tmp_path / "data" / CREDENTIALS
        assert str(credentials) in first.greeting
        assert credentials.read_text().splitlines() == [
            f"PENSTOCK_ACCOUNT_ID={first.account}",
            f"PENSTOCK_API_TOKEN={token[1]}",
            "PENSTOCK_ADMIN_EMAIL=admin@localhost",
        ]
        assert stat.S_IMODE(credentials.stat().st_mode) == 0o600
        assert await first.stop() == 0
        assert token[1] not in first.said
    made = credentials.read_bytes()
    async with serving(tmp_path / "data") as second:
        assert second.account == first.account
        assert "pst_" not in second.greeting
        assert "API token" not in second.greeting
        assert credentials.read_bytes() == made


async def test_account_and_token_can_be_chosen(tmp_path):
    chosen = {"PENSTOCK_ACCOUNT_ID": ACCOUNT, "PENSTOCK_API_TOKEN": TOKEN}
    async with serving(tmp_path / "data", environ=chosen) as server:
        assert server.account == ACCOUNT
        assert TOKEN not in server.greeting
        assert not (tmp_path / "data" / CREDENTIALS).exists()
        assert await server.stop() == 0
    assert not [file for file in (tmp_path / "data").iterdir() if TOKEN.encode() in file.read_bytes()]


async def test_an_account_given_later_is_added(tmp_path):
    async with serving(tmp_path / "data") as first:
        await first.stop()
    async with serving(tmp_path / "data", environ={"PENSTOCK_ACCOUNT_ID": ACCOUNT}, gateways=()) as second:
        # A gateway that is there; an account that is there, and one that is not, which nobody could tell apart.
        for account, status in ((first.account, 200), (ACCOUNT, 401), ("0" * 32, 401)):
            assert (await second.get(f"/v1/{account}/default/openai/models"))[0] == status


async def test_the_printed_call_works_when_it_is_pasted(tmp_path):
    for _ in range(2):  # at the first start, which says the token, and at a later one, which says where it is
        async with serving(tmp_path / "data dir", gateways=()) as server:
            call = re.search(r"Try it:\n\n(.*?)\n\n", server.greeting, re.DOTALL)
            assert call
            done = subprocess.run(["sh", "-ec", call[1]], check=True, capture_output=True, text=True, timeout=30)
            assert decode(done.stdout)["choices"][0]["message"]["content"] == "You said: Hello, Penstock!"
            await server.stop()
    tail = re.search(r"see the call: .*?(logs tail.*)$", server.greeting, re.MULTILINE)
    assert tail
    command = [sys.executable, "-m", "penstock", *shlex.split(tail[1])]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30, env=environment())
    heading, *rows = shown.stdout.splitlines()
    assert len([row for row in rows if "gpt-4o-mini" in row]) == 2
    assert heading.split()[0] == "time"


async def test_the_flags_of_the_command_line_reach_the_server(tmp_path):
    async with serving(tmp_path / "data", "--host", "localhost", simulate=False) as server:
        assert (await server.get("/readyz"))[0] == 200
        assert (await server.get("/healthz"))[0] == 200
        status, body = await server.get("/nowhere")
        assert (status, decode(body)["errors"][0]["code"]) == (404, 7003)


def refusal(tmp_path, *flags, config="", environ=None):
    """The words and the exit status of a start that fails, where the server would keep its data in ``data``."""
    given = ["--data-dir", str(tmp_path / "data"), "--port", "0", *flags]
    if config:
        (tmp_path / "data.toml").write_text(config)
        given += ["--config", str(tmp_path / "data.toml")]
    done = command("serve", *given, cwd=tmp_path, environ=environ)
    assert done.out == ""
    return done.status, done.err.replace("\n", " ")


def test_a_proxy_that_is_none_is_refused_without_its_password(tmp_path):
    status, said = refusal(tmp_path, environ={"HTTPS_PROXY": "socks5://me:secret@proxy.example:1080"})
    assert status == 1
    assert "HTTPS_PROXY" in said
    assert "secret" not in said
    assert not (tmp_path / "data").exists()


def test_a_taken_port_is_refused(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, said = refusal(tmp_path, "--port", str(port))
    assert status == 1
    assert f"127.0.0.1 port {port}" in said
    assert "in use" in said
    assert not (tmp_path / "data").exists(), "nothing is made before it is sure that the server can listen"


def test_a_host_that_is_not_of_this_machine_is_refused(tmp_path):
    status, said = refusal(tmp_path, "--host", "192.0.2.1")
    assert status == 1
    assert "192.0.2.1" in said
    assert "--host" in said


async def test_a_database_in_use_is_refused_and_its_server_goes_on(tmp_path):
    async with serving(tmp_path / "data") as first:
        with pytest.raises(Refused) as caught:
            async with serving(tmp_path / "data"):
                pass
        status, said = caught.value.status, caught.value.said
        assert "Traceback" not in said
        assert status == 1
        assert "in use by another Penstock" in said
        assert str(tmp_path / "data" / sqlite_file.FILE) in said
        assert (await first.get("/readyz"))[0] == 200
        assert await first.stop() == 0
    async with serving(tmp_path / "data") as again:
        assert again.account == first.account


def test_a_database_of_a_newer_version_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    schema.open_store(opening.url_in(tmp_path / "data")).close()
    with closing(sqlite3.connect(tmp_path / "data" / sqlite_file.FILE)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("UPDATE configuration SET compatible = '9999'")
        connection.commit()
    status, said = refusal(tmp_path)
    assert status == 1
    assert "9999" in said
    assert "newer version" in said


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / sqlite_file.FILE).write_bytes(b"this is no database, " * 100)
    status, said = refusal(tmp_path)
    assert status == 1
    assert str(tmp_path / "data" / sqlite_file.FILE) in said


@pytest.mark.parametrize("place", ["data", "data/inner"], ids=["a file in its place", "a file above it"])
def test_a_data_directory_that_cannot_be_made_is_refused(tmp_path, place):
    (tmp_path / "data").write_text("in the way")
    status, said = refusal(tmp_path, "--data-dir", str(tmp_path / place))
    assert status == 1
    assert "DATA_DIR" in said
    assert str(tmp_path / place) in said


@pytest.mark.parametrize(
    ("flags", "config", "words"),
    [
        (["--workers", "2"], "", ["workers", "PostgreSQL"]),
        (["--role", "proxy"], "", ["role", "PostgreSQL"]),
        (["--port", "65536"], "", ["port", "--port", "65535"]),
        ([], "port = ", ["config", "TOML"]),
        ([], "stop_timeuot = 1", ["stop_timeuot", "did you mean stop_timeout?"]),
        ([], 'max_body = "ten"\nstop_timeout = -1', ["max_body", "stop_timeout"]),
        ([], "[providers.openai]\n", ["providers.openai", "is empty; it takes base_url and api_key"]),
        ([], '[providers.openai]\nbase_url = "nowhere"\n', ["base_url", "nowhere"]),
    ],
)
def test_settings_that_cannot_be_used_are_refused(tmp_path, flags, config, words):
    status, said = refusal(tmp_path, *flags, config=config)
    assert status == 2
    assert [word for word in words if word not in said] == []
    assert not (tmp_path / "data").exists()


def test_a_configuration_file_that_is_named_must_exist(tmp_path):
    status, said = refusal(tmp_path, "--config", "not-here.toml")
    assert status == 2
    assert "not-here.toml" in said


def test_a_file_of_prices_that_cannot_be_used_is_refused(tmp_path):
    (tmp_path / "prices.toml").write_text('[[prices]]\nprovider = "openai"\nmodel = "x"\ntokens = { inptu = 1 }\n')
    ended, said = refusal(tmp_path, config="")
    assert ended == 1
    assert "prices[1] (openai x): tokens.inptu: there is no such kind; did you mean input?" in said


def test_a_grant_of_a_permission_that_there_is_not_is_refused(tmp_path):
    config = "oidc_issuer = 'https://id.example.com'\noidc_client_id = 'penstock'\n"
    config += "[[oidc_grants]]\nclaim = 'sub'\nvalue = '*'\nscopes = ['reed']\n"
    ended, said = refusal(tmp_path, config=config)
    assert ended == 1
    assert "[[oidc_grants]]: there is no permission 'reed'" in said


@pytest.mark.parametrize(
    ("slug", "url", "status", "words"),
    [
        ("opnai", "http://127.0.0.1:1", 1, ["providers.opnai", "known are", "anthropic", "openai"]),
        ("openai", "http://127.0.0.1/../x", 1, ["providers.openai.base_url", "dot segments"]),
        ("openai", "http://name@127.0.0.1", 2, ["providers.openai", "base_url", "user name"]),
        ("openai", "http://127.0.0.1/?x=1", 2, ["providers.openai", "base_url", "query"]),
    ],
)
def test_a_provider_override_that_cannot_be_used_is_refused(tmp_path, slug, url, status, words):
    ended, said = refusal(tmp_path, config=f'[providers.{slug}]\nbase_url = "{url}"\n')
    assert ended == status
    assert [word for word in words if word not in said] == []
    assert not (tmp_path / "data").exists(), "no account or token that nobody was told"


async def test_an_override_goes_before_the_simulated_providers(tmp_path):
    async with AsyncExitStack() as opened:
        enter = opened.enter_async_context
        upstream = await enter(serving(tmp_path / "one"))
        config = f'[providers.openai]\nbase_url = "{upstream.url()}"\n'
        server = await enter(serving(tmp_path / "two", config=config))
        assert (await server.get(f"/v1/{server.account}/default/openai/models"))[0] == 200
        assert (await server.get(f"/v1/{server.account}/default/anthropic/models"))[0] == 200
        await upstream.stop()
        assert [row["provider"] for row in await upstream.rows()] == ["openai"]


async def test_it_says_where_it_listens(tmp_path):
    async with serving(tmp_path / "open", "--host", "0.0.0.0", simulate=False) as server:
        assert f"listens on http://0.0.0.0:{server.port}\n" in server.greeting


async def test_it_takes_as_many_open_files_as_it_may_and_says_when_they_are_too_few(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        async with serving(tmp_path / "few", environ={"PENSTOCK_MAX_CONNECTIONS": str(hard)}, simulate=False) as server:
            assert open_files(server.pid) == (hard, hard)
            assert server.said.count("max_connections") == 1
            assert f"can need {2 * hard + 100}" in server.said
        async with serving(tmp_path / "enough", environ={"PENSTOCK_MAX_CONNECTIONS": "50"}, simulate=False) as server:
            assert open_files(server.pid) == (hard, hard)
            assert server.said == ""
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def open_files(pid):
    """Soft and hard limit of a process."""
    return resource.prlimit(pid, resource.RLIMIT_NOFILE)
