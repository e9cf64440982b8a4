"""Pages in Debian's Chromium, driven by Playwright: one Chromium for all tests of a process, a new profile for each.

A plugin of pytest. A test that asks for ``page``, or for ``browse`` to open more of them, runs in the event loop of the
session, in which Chromium is driven; what it starts itself belongs there too. It fails at its end where a page did what
ours never do: told the console of an error, broke its content security policy, opened a dialog, asked another server
for something, or got no good answer for what it loads. ``watch(page).allow(…)`` names what a test provokes.
"""

import os
import re
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import pytest
import pytest_asyncio

from tests.kit.process import Serving, serving

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request, Response

PATIENCE = 20_000.0  # milliseconds that a page may take to become what a test waits for
WIDE = (1280, 800)  # CSS pixels, as most screens are; screenshots have them
NARROW = (360, 740)  # the narrowest that pages are made for
SCHEMES = ("light", "dark")
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "dashboard"
COLOURS = 64  # of a screenshot: a page has few, and its file a quarter of the size

# Beside what Playwright says. The sandbox needs what a container may not give; pages come from this machine alone, and
# no other name or address is reached. To Chromium, localhost is another site.
_FLAGS = (
    *("--disable-dev-shm-usage", "--disable-background-networking", "--no-proxy-server", "--disable-gpu"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
# The console tells of a violation too, unless a frame has no console of ours.
_REPORT = (
    "addEventListener('securitypolicyviolation', e => console.error('CSP refused', e.violatedDirective, e.blockedURI))"
)
_STATUS = "Failed to load resource: the server responded with a status of"
_NO_ERROR = "net::ERR_ABORTED"  # the page was left, or the script gave up


class Watch:
    """What the pages of one profile did wrong, in ``faults``: one line each."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.faults: list[str] = []
        self._allowed: list[str] = []

    def allow(self, *patterns: str) -> None:
        """Regular expressions of faults that the test provokes."""
        self._allowed += patterns

    def unexpected(self) -> list[str]:
        """The faults that no pattern allows."""
        return [fault for fault in self.faults if not any(re.search(pattern, fault) for pattern in self._allowed)]

    def on(self, page: "Page") -> None:
        """Watches a page, which must not have loaded anything yet."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._found("script", error.stack or str(error)))
        page.on("dialog", self._dialog)
        page.on("request", self._request)
        page.on("requestfailed", self._failed)
        page.on("response", self._response)

    def _found(self, what: str, told: str) -> None:
        self.faults.append(f"{what}: {told}")

    def _console(self, message: "ConsoleMessage") -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_STATUS):  # which _response tells
            self._found(f"console {message.type}", message.text)

    async def _dialog(self, dialog: "Dialog") -> None:
        self._found("dialog", dialog.message)
        await dialog.dismiss()

    def _request(self, request: "Request") -> None:
        url = urlsplit(request.url)
        if url.scheme not in {"data", "blob", "about"} and f"{url.scheme}://{url.netloc}" != self.origin:
            self._found("another server", request.url)

    def _failed(self, request: "Request") -> None:
        if request.failure != _NO_ERROR:
            self._found("no answer", f"{request.url}: {request.failure}")

    def _response(self, response: "Response") -> None:
        least = 500 if response.request.is_navigation_request() else 400  # a refusal is a page too
        if response.status >= least:
            self._found("status", f"{response.status} of {response.request.method} {response.url}")


_watches: WeakKeyDictionary["BrowserContext", Watch] = WeakKeyDictionary()


class Browse(Protocol):
    """Opens a page in a profile of its own. ``options`` go to Playwright's ``new_context``."""

    async def __call__(self, *, javascript: bool = True, size: tuple[int, int] = WIDE, **options: Any) -> "Page": ...


def watch(page: "Page") -> Watch:
    """What is known of the pages of this one's profile."""
    return _watches[page.context]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", action="store_true", help=f"writes what tests show of pages to {PICTURES.name}/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncGenerator["Browser"]:
    """The browser. Tests open pages by ``browse``."""
    from playwright.async_api import async_playwright

    path = shutil.which("chromium")
    assert path, "Chromium is not installed: python scripts/debian.py chromium"
    environ: dict[str, str | float | bool] = {
        name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")
    }
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*_FLAGS], env=environ)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Serving]:
    """A server with simulated providers, which the browser tests of a process share: each makes what it changes."""
    async with serving(tmp_path_factory.mktemp("site") / "data") as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def browse(chromium: "Browser", site: Serving) -> AsyncGenerator[Browse]:
    """Opens pages of ``site`` in new profiles, by addresses without an origin; looks at their faults at the end."""

    async def browse(*, javascript: bool = True, size: tuple[int, int] = WIDE, **options: Any) -> "Page":
        given = {
            "base_url": site.origin,
            "locale": "en-GB",
            "timezone_id": "UTC",
            "reduced_motion": "reduce",
            **options,
        }
        shape: Any = {"width": size[0], "height": size[1]}
        context = await chromium.new_context(java_script_enabled=javascript, viewport=shape, **given)
        found = Watch(given["base_url"])
        _watches[context] = found
        context.on("page", found.on)
        context.set_default_timeout(PATIENCE)
        await context.add_init_script(_REPORT)
        return await context.new_page()

    yield browse
    unexpected: list[str] = []
    for context in chromium.contexts:
        await context.close()
        unexpected += _watches[context].unexpected()
    assert not unexpected, "The pages did what they must not:\n" + "\n".join(unexpected)


@pytest_asyncio.fixture(loop_scope="session")
async def page(browse: Browse) -> "Page":
    """An empty page, signed in nowhere."""
    return await browse()


@pytest_asyncio.fixture(loop_scope="session")
async def signed_in(page: "Page", site: Serving) -> "Page":
    """An empty page, signed in with the token that may do everything."""
    await sign_in(page, site.token)
    return page


async def sign_in(page: "Page", token: str) -> None:
    """By the form's request alone; the page stays as it is."""
    answer = await page.context.request.post("/ui/sign-in", form={"token": token}, max_redirects=0)
    assert answer.status == 303, await answer.text()


Shot = Callable[["Page", str], Awaitable[None]]


@pytest.fixture
def shot(request: pytest.FixtureRequest) -> Shot:
    """Takes the picture of a page as it stands, in light and dark, to docs/dashboard; only with ``--screenshots``."""

    async def shot(page: "Page", name: str) -> None:
        if request.config.option.screenshots:
            for scheme in SCHEMES:
                await page.emulate_media(color_scheme=scheme)
                data = await page.screenshot(animations="disabled", caret="hide")
                file = PICTURES / f"{name}-{scheme}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(_small(data))
            await page.emulate_media(color_scheme="light")

    return shot


def _small(png: bytes) -> bytes:
    """The same picture in few colours."""
    from PIL import Image

    picture, out = Image.open(BytesIO(png)).convert("RGB"), BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()
