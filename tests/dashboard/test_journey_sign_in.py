"""Coming in from elsewhere: by the link that a start prints, and back from an identity provider of another site."""

from urllib.parse import urlsplit

import pytest_asyncio
from playwright.async_api import expect

from tests.dashboard.conftest import ACCOUNT, TOKEN
from tests.kit.axe import axe
from tests.kit.browser import watch
from tests.kit.idp import CLIENT, SECRET, identifying
from tests.kit.process import serving

CONFIG = "[[oidc_grants]]\nclaim = 'groups'\nvalue = 'ops'\nscopes = ['read']"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(tmp_path_factory):
    """An identity provider on another site, and a server that sends people there."""
    async with identifying() as idp:
        idp.url = idp.url.replace("127.0.0.1", "localhost")
        environ = {"PENSTOCK_ACCOUNT_ID": ACCOUNT, "PENSTOCK_API_TOKEN": TOKEN, "PENSTOCK_OIDC_ISSUER": idp.url}
        environ |= {"PENSTOCK_OIDC_CLIENT_ID": CLIENT, "PENSTOCK_OIDC_CLIENT_SECRET": SECRET}
        data = tmp_path_factory.mktemp("door") / "data"
        async with serving(data, config=CONFIG, environ=environ, gateways=()) as server:
            yield idp, server


async def test_people_come_back_from_another_site_signed_in(browse, place):
    idp, server = place
    page = await browse(base_url=server.origin)
    watch(page).allow(f"another server: {idp.url}/authorize", f"{idp.url}/favicon.ico")
    await page.goto("/?span=7d")
    await axe(page)
    await page.get_by_role("link", name="Sign in with single sign-on").click()
    await page.get_by_role("link", name="Agree").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    assert page.url == f"{server.origin}/?span=7d"
    await expect(page.get_by_text("mia@example.org (single sign-on)")).to_be_visible()


async def test_a_link_on_another_site_signs_in_once(browse, place):
    _, server = place
    page = await browse(base_url=server.origin)
    watch(page).allow("another server: https://mail.example.com/", "no answer: https://mail.example.com/favicon")
    link = (await server.command("sign-in-link", "--url", server.origin)).strip()

    async def mail(route):
        await route.fulfill(body=f'<a href="{link}">Sign in</a>', content_type="text/html")

    await page.route("https://mail.example.com/*", mail)
    await page.goto("https://mail.example.com/")
    await page.get_by_role("link", name="Sign in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    assert urlsplit(page.url).query == ""
    await page.goto(link)
    await expect(page.get_by_role("alert")).to_contain_text("has signed somebody in already")
    await axe(page)
