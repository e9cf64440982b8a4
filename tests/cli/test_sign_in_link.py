"""``penstock sign-in-link`` beside a running server."""

import asyncio
import re

import pytest

from tests.dashboard.conftest import Pages
from tests.kit.command import command
from tests.kit.process import serving
from tests.kit.store import a_token, furnish

ONCE = r"http://127\.0\.0\.1:8787/ui/sign-in\?once=v1\.[\w-]+"


async def test_links_sign_in_once_those_of_the_start_and_those_of_the_command(tmp_path):
    """The link that a start prints, with simulated providers, is as good as the command's."""
    async with serving(tmp_path / "data") as server:
        (printed,) = re.findall(rf"Dashboard +{re.escape(server.origin)}(/\S+)$", server.greeting, re.MULTILINE)
        made = await server.command("sign-in-link", "--url", server.origin)
        status, other = await server.ask(
            "POST", "/accounts/{account}/tokens", {"name": "x", "scopes": ["AI Gateway Read"]}
        )
        assert status == 200
        limited = await server.command("sign-in-link", "--url", server.origin, "--token", other["result"]["id"])
        for link, name in ((printed, "first start"), (made, "first start"), (limited, "x")):
            await asyncio.to_thread(signs_in_once, server.origin, link.strip().removeprefix(server.origin), name)
        await server.stop()
        assert not re.search(r"once=v1", server.said)
    async with serving(tmp_path / "data", simulate=False) as again:
        assert f"  Dashboard  {again.origin}/\n" in again.greeting


def signs_in_once(origin, link, name):
    pages, elsewhere = Pages(origin, ""), Pages(origin, "")
    with pages.http, elsewhere.http:
        used_up(pages, elsewhere, link, name)


def used_up(pages, elsewhere, link, name):
    assert pages.http.head(link).status_code == 200  # whoever only looks does not use it up
    first = pages.get(link)
    assert first.tags("meta")[-1] == {"http-equiv": "refresh", "content": "0; url=/"}
    assert first.headers["cache-control"] == "no-store"
    assert name in pages.get("/").said
    for again in (elsewhere, pages):
        shown = again.get(link)
        assert shown.status == 409
        assert "has signed somebody in already" in shown.said
        assert "penstock sign-in-link" in shown.said
    pages.post("/ui/sign-out")
    assert pages.get(link).status == 409


@pytest.fixture
def place(tmp_path):
    """A database with a token that may do everything, one that may read, and one that is over."""
    tokens = [
        a_token(),
        a_token("pst_reads_0123456789", scopes=frozenset({"AI Gateway Read"}), created_at=1),
        a_token("pst_is_over_0123456789", expires_at=1, created_at=1),
    ]
    asyncio.run(furnish(tmp_path, {}, tokens))
    (tmp_path / "master.key").write_bytes(bytes(range(32)))
    return tmp_path


def test_it_names_the_public_address(place):
    done = command("sign-in-link", "--data-dir", str(place))
    assert (done.status, done.err) == (0, "")
    assert re.fullmatch(ONCE, done.out.strip())
    done = command("sign-in-link", "--data-dir", str(place), environ={"PENSTOCK_PUBLIC_URL": "https://ai.example.com"})
    assert done.out.startswith("https://ai.example.com/ui/sign-in?once=v1.")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--token", "nobody"), 1, "there is no token of the id nobody"),
        (("--token", a_token("pst_is_over_0123456789").id), 1, "there is no token of the id"),
        (("--url", "nowhere"), 2, "--url: must be an address"),
        (("--account", "x"), 2, "there is no account x"),
    ],
)
def test_what_cannot_be_is_said(place, words, status, said):
    done = command("sign-in-link", "--data-dir", str(place), *words)
    assert (done.status, said in done.err) == (status, True), done


def test_without_a_token_that_may_do_everything_one_must_be_named(tmp_path):
    asyncio.run(furnish(tmp_path, {}, [a_token("pst_reads_0123456789", scopes=frozenset({"AI Gateway Read"}))]))
    done = command("sign-in-link", "--data-dir", str(tmp_path))
    assert done.status == 1
    assert "name one with --token" in done.err
