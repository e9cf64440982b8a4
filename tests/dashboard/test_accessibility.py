"""Every page that links lead to, as it is found by following them: in light and dark, wide and narrow, and pictured."""

import re
from pathlib import Path

import pytest
import pytest_asyncio

from penstock.dashboard.navigation import PLACES
from tests.kit.axe import axe
from tests.kit.browser import NARROW, PICTURES, SCHEMES, WIDE
from tests.kit.crawl import SHOWN, crawl
from tests.kit.lived_in import lived_in

# Pages beside those of the navigation that have a picture, and its name.
PICTURED = {
    "/ui/logs/{gateway}/{id}": "call",
    "/ui/gateways/{gateway_id}": "gateway",
    "/ui/gateways/{gateway_id}/settings": "gateway-settings",
    "/ui/routes/{gateway}/{route}": "route",
    "/ui/routes/{gateway}/{route}/edit": "route-editor",
}
ELSEWHERE = {"/ui/playground"}  # test_journey_playground.py takes its picture, with answers

DOCS = Path(__file__).parents[2] / "docs" / "dashboard.md"
BEGIN = ("/", "/docs", "/ui/kit")  # no link leads to them
# What only repeats itself, and takes axe-core long.
MORE = "tbody tr:nth-of-type(n+6), .reference > section:nth-of-type(n+4), .places details:nth-of-type(n+3)"
APART = {
    "/ui/logs/rows": "what the page of the logs asks for while it follows the calls",
    "/ui/sign-in": "whoever is signed in is led away; test_journey_door.py begins there",
    "/ui/sign-in/oidc": "leads to an identity provider; test_journey_sign_in.py comes back from one",
    "/ui/sign-in/oidc/callback": "the same",
    "/ui/routes/{gateway}/{route}/export": "a file",
    "/ui/invoices/{document}": "a document for others to read; invoices/test_view.py opens it",
    "/ui/playground/result/{gateway}/{log_id}": "what the playground's script asks for",
}

# What is wider than the page and neither scrolls in a box of its own nor is cut off.
WIDER = """() => {
  const page = document.documentElement, width = page.clientWidth;
  if (page.scrollWidth <= width) return [];
  const boxed = one => { for (let up = one; up; up = up.parentElement) {
    if (!["visible", ""].includes(getComputedStyle(up).overflowX)) return true;
  } return false; };
  const wide = [...document.body.querySelectorAll("*")].filter(one =>
    one.getBoundingClientRect().right > width + 1 && !boxed(one));
  return [`${page.scrollWidth} px`, ...wide.slice(0, 3).map(one => one.outerHTML.slice(0, 120))];
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory):
    async with lived_in(tmp_path_factory.mktemp("lived-in") / "data") as server:
        yield server


def pictures():
    """The names of pictures by the paths of pages."""
    places = {place.address: place.address.removeprefix("/ui/").strip("/") or "overview" for place in PLACES}
    return places | PICTURED


@pytest.mark.timeout(300)
async def test_every_page_is_accessible_and_fits_a_narrow_screen(signed_in, shot):
    page, names, faults = signed_in, pictures(), []

    async def look(path):
        if path in names.keys() - ELSEWHERE:
            await shot(page, names[path])
        await page.evaluate("more => document.querySelectorAll(more).forEach(one => one.remove())", MORE)
        try:
            await axe(page)
        except AssertionError as found:
            faults.append(str(found))
        await page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
        if wider := await page.evaluate(WIDER):
            faults.append(f"{page.url} scrolls sideways: {wider}")
        await page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})

    reached = await crawl(page, look, begin=BEGIN)
    assert not faults, "\n\n".join(faults)
    assert {place.address for place in PLACES} <= reached
    assert {route.path for route in SHOWN} - reached == APART.keys()


def test_the_docs_show_every_place_in_light_and_dark():
    files = {f"dashboard/{name}-{scheme}.png" for name in pictures().values() for scheme in SCHEMES}
    assert {*re.findall(r"\((dashboard/[\w-]+\.png)\)", DOCS.read_text("utf-8"))} == files
    assert {f"dashboard/{path.name}" for path in PICTURES.iterdir()} == files, "pytest --screenshots tests/dashboard"
