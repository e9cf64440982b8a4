"""Whether providers can be reached."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from penstock.doctor import providers
from penstock.providers import catalog
from tests.kit.certificates import self_signed
from tests.kit.provider import answering, providing


async def silent(peer):
    """Reads, and says nothing."""
    await peer.gone()


@pytest.fixture
def look(subject):
    """What is found of one provider at that address."""

    async def at(url, environ=None, slug="openai", patience=4.5):
        asked = subject(environ, config=f'[providers.{slug}]\nbase_url = "{url}"\n')._replace(patience=patience)
        (check,) = providers.checks(asked).values()
        return await asyncio.to_thread(lambda: list(check(asked)))

    return at


def test_a_file_of_prices_that_is_wrong_is_a_problem(subject, levels, tmp_path):
    (tmp_path / "prices.toml").write_text('[[prices]]\nprovider = "openai"\n')
    asked = subject()
    (check,) = providers.checks(asked).values()
    ((level, text),) = levels(check(asked))
    assert level == "problem"
    assert "prices[1] (openai): Object missing required field `model`" in text


def test_only_what_is_overridden_is_looked_at_unless_all_are_asked_for(subject):
    config = '[providers.openai]\nbase_url = "http://127.0.0.1:1"\n'
    assert list(providers.checks(subject())) == []
    assert list(providers.checks(subject(config=config))) == ["provider openai"]
    every = set(providers.checks(subject(all_providers=True)))
    assert every == {f"provider {row.id}" for row in catalog.load().values()}


async def test_a_provider_that_answers_is_good_whatever_it_answers(look):
    async with providing(answering(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")) as other:
        (found,) = await look(other.url)
    assert (found.level, found.text.startswith(f"127.0.0.1:{other.port} answers, within ")) == ("ok", True)


async def test_no_credential_and_nothing_but_a_head_is_sent(look):
    seen = []

    async def serve(peer):
        seen.append(await peer.request())
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    async with providing(serve) as other:
        await look(other.url)
    (head,) = seen
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == "head / http/1.1"
    assert {line.partition(":")[0] for line in lines[1:] if line} == {"host", "user-agent", "connection"}


async def test_a_provider_that_is_not_there_is_a_problem(look, closed_port):
    (found,) = await look(f"http://127.0.0.1:{closed_port}")
    assert (found.level, "refused" in found.text, bool(found.remedy)) == ("problem", True, True)


async def test_a_provider_that_does_not_answer_is_a_problem(look):
    async with providing(silent) as other:
        (found,) = await look(other.url, patience=0.2)
    assert (found.level, "within" in found.text) == ("problem", True)


async def test_a_certificate_that_nobody_vouches_for_is_a_problem(look, tmp_path):
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*self_signed(tmp_path, "127.0.0.1"))
    async with providing(silent, tls) as other:
        (found,) = await look(f"https://127.0.0.1:{other.port}")
    assert (found.level, "cannot be reached" in found.text) == ("problem", True)


async def test_an_address_that_may_never_be_called_is_a_problem(look):
    (found,) = await look("http://169.254.169.254")
    assert (found.level, "metadata" in found.text) == ("problem", True)


async def test_a_proxy_on_the_way_is_used_and_named(look):
    async with providing(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")) as proxy:
        (found,) = await look("http://10.1.2.3:9", {"HTTP_PROXY": proxy.url})
    assert (found.level, f"through the proxy 127.0.0.1:{proxy.port}" in found.text) == ("ok", True)


async def test_a_clock_that_differs_from_a_provider_is_a_warning(look):
    theirs = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True).encode()
    async with providing(answering(b"HTTP/1.1 200 OK\r\ndate: %b\r\ncontent-length: 0\r\n\r\n" % theirs)) as other:
        found = await look(other.url)
    assert [(one.check, one.level) for one in found] == [("provider openai", "ok"), ("clock", "warning")]


@pytest.mark.parametrize("date", [b"", b"date: nonsense\r\n", b"date: 12 Nov\r\n"])
async def test_a_provider_that_tells_no_time_is_good(look, date):
    async with providing(answering(b"HTTP/1.1 200 OK\r\n%bcontent-length: 0\r\n\r\n" % date)) as other:
        assert [one.level for one in await look(other.url)] == ["ok"]


@pytest.mark.parametrize(
    ("environ", "config", "said"),
    [
        ({}, '[providers.nobody]\nbase_url = "http://127.0.0.1:1"\n', "nobody"),
        ({"HTTPS_PROXY": "ftp://x"}, "", "HTTPS_PROXY"),
    ],
)
def test_what_would_keep_the_server_from_starting_is_a_problem(subject, environ, config, said):
    asked = subject(environ, config=config)
    (check,) = providers.checks(asked).values()
    (found,) = check(asked)
    assert (found.level, said in found.text) == ("problem", True)
