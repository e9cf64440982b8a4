"""The pages of the dashboard, by following links as people do, so that a new page is found by itself."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.routing import Match, Route

from penstock.dashboard.mount import PAGES

if TYPE_CHECKING:
    from playwright.async_api import Page

SHOWN = [route for route in PAGES if "GET" in (route.methods or ())]
_LINKS = """() => [...document.querySelectorAll("a[href]")].map(
  one => new URL(one.getAttribute("href"), location).href)"""
_PARTS = """() => [...document.querySelectorAll("[hx-get]")].map(one => one.getAttribute("hx-get"))"""
_REFERENCE = ("/openapi.json", "/ui/static/", "/ui/invoices/")  # what pages lead to beside pages

Look = Callable[[str], Awaitable[None]]


def route_of(address: str) -> Route | None:
    """The page that an address is of."""
    scope = {"type": "http", "method": "GET", "path": urlsplit(address).path, "root_path": ""}
    return next((route for route in SHOWN if route.matches(scope)[0] is Match.FULL), None)


_NONE: Mapping[str, int] = MappingProxyType({})


async def crawl(
    page: "Page", look: Look, *, begin: Sequence[str] = ("/",), each: int = 1, more: Mapping[str, int] = _NONE
) -> set[str]:
    """Opens some pages and all that they lead to, and has them looked at: ``each`` addresses of a kind at most, or as
    many as ``more`` says of the path of their route.

    ``look`` gets the path of the page's route. Returns the paths that were seen, those of parts of pages included.
    Fails where a link leads nowhere.
    """
    seen, parts, astray = dict[str, list[str]](), set[str](), list[str]()
    waiting = [(route.path, address) for address in begin if (route := route_of(address))]
    assert len(waiting) == len(begin)
    for path, address in waiting:
        seen.setdefault(path, []).append(address)
    while waiting:
        path, address = waiting.pop(0)
        if not await _opened(page, address):
            continue
        await look(path)
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
        parts |= {route.path for link in await page.evaluate(_PARTS) if (route := route_of(link))}
        for link in await page.evaluate(_LINKS):
            target = link.removeprefix(origin).partition("#")[0]
            if not target.startswith("/") or target.startswith(_REFERENCE):
                continue
            if (route := route_of(target)) is None:
                astray.append(f"{address} leads to {target}")
            elif target not in (there := seen.setdefault(route.path, [])) and len(there) < more.get(route.path, each):
                there.append(target)
                waiting.append((route.path, target))
    assert not astray, f"links lead nowhere: {astray}"
    return {*seen, *parts}


async def _opened(page: "Page", address: str) -> bool:
    """Whether that is a page, and not a file."""
    try:
        answer = await page.goto(address)
    except Exception as error:
        assert "Download is starting" in str(error), error
        return False
    return answer is not None and "text/html" in answer.headers.get("content-type", "")
