"""The kit that drives pages: it finds what it is there to find. The pages here are none of ours."""

import re

import pytest
import pytest_asyncio

from tests.kit.axe import axe
from tests.kit.browser import watch
from tests.kit.client import until
from tests.kit.hostile_text import CONTROLS, MARKUP, assert_harmless

CSP = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' http://127.0.0.1:1"
HEAD = "<!doctype html><html lang=en><title>A page</title>"


@pytest_asyncio.fixture(loop_scope="session")
async def serve(page):
    """Opens a page of this markup and policy."""
    now = {}

    async def answer(route):
        await route.fulfill(**now)

    async def odd(route):
        await route.fulfill(body=ODD, content_type="text/javascript")

    await page.route("**/here", answer)
    await page.route("**/odd.js", odd)

    async def serve(body, csp=CSP):
        headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": csp}
        now.update(body=HEAD + body, headers={name: value for name, value in headers.items() if value})
        await page.goto("/here")
        return page

    return serve


AXE = r"(?s)critical: .*label.*\n    #bare: .*serious: .*color-contrast, dark\)\n    p: "
ODD = """console.error("of the script"); fetch("/nowhere-at-all").catch(() => 0);
fetch("http://127.0.0.1:1/x").catch(() => 0); alert("hello"); throw new Error("thrown")"""


async def test_each_fault_of_a_page_is_found(serve):
    page = await serve(
        "<main style='color:red'><h1>x</h1><img src=https://evil.example/x.png></main><script src=/odd.js></script>"
    )
    found = watch(page).faults
    wanted = [
        "console error: .*inline style", "console error: CSP refused style-src-attr",
        "console error: CSP refused img-src", "console error: of the script", "script: Error: thrown", "dialog: hello",
        "another server: http://127.0.0.1:1/x", "no answer: http://127.0.0.1:1/x", "status: 404 of GET .*/nowhere",
    ]  # fmt: skip
    await until(lambda: all(any(re.search(want, fault) for fault in found) for want in wanted))
    watch(page).allow(".")
    assert watch(page).unexpected() == []


async def test_a_good_page_has_no_fault(serve):
    page = await serve("<main><h1>x</h1></main>")
    await axe(page)
    await assert_harmless(page)
    assert watch(page).faults == []


async def test_axe_says_what_it_finds_and_where(serve):
    page = await serve("<main><h1>x</h1><input id=bare><p class=pale>pale</p></main>", csp="")
    await page.add_style_tag(content="@media (prefers-color-scheme: dark) { .pale { color: #eee; background: #fff } }")
    with pytest.raises(AssertionError, match=AXE):
        await axe(page)


async def test_hostile_text_that_a_page_does_not_escape_is_noticed(serve):
    for body, csp, noticed in (
        (MARKUP["script"], "", "'ran': True"),
        (MARKUP["script"], CSP, "'made': ['<script"),
        (f'<input value="{MARKUP["quote"]}">', CSP, "'handlers': ['<input"),
        (f'<a href="{MARKUP["link"]}">x</a>', CSP, "'addresses': ['<a"),
        (f"<p>{CONTROLS['override']}", CSP, "'invisible': ['\\u202c', '\\u202e']"),
    ):
        page = await serve(body, csp)
        watch(page).allow("Content Security Policy", "CSP refused")
        with pytest.raises(AssertionError, match=re.escape(noticed)):
            await assert_harmless(page)
