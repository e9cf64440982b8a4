"""What axe-core finds on a page. It runs in a world of its own beside the page's scripts, under the page's policy.

axe-core comes from the lock of the JavaScript clients. Its licence is the MPL 2.0; only tests use it.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Page

_FILE = Path(__file__).parents[1] / "clients" / "typescript" / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """axe.run(document, {runOnly: %s, resultTypes: ["violations"]}).then(({violations}) => violations.map(
  ({id, impact, help, nodes}) => ({id, impact, help, nodes: nodes.map(({target, failureSummary}) =>
    ({target: target.flat().join(" "), why: failureSummary}))})))"""
EVERYTHING = '["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]'
GRAVE = {"serious", "critical"}


async def axe(page: "Page", *, schemes: tuple[str, ...] = ("light", "dark")) -> None:
    """Fails on serious and critical findings, as they are in light and dark; prints where they are and why."""
    found: list[str] = []
    cdp = await page.context.new_cdp_session(page)
    try:
        world = await _world(cdp)
        for number, scheme in enumerate(schemes):
            await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            rules = '["color-contrast"]' if number else EVERYTHING  # the others see no colour
            told = await _evaluate(cdp, world, _RUN % rules)
            found += [line for violation in told if violation["impact"] in GRAVE for line in _lines(scheme, violation)]
    finally:
        await cdp.detach()
        await page.emulate_media(color_scheme="light")
    assert not found, f"axe-core finds on {page.url}:\n" + "\n".join(found)


def _lines(scheme: str, violation: dict[str, Any]) -> list[str]:
    head = f"{violation['impact']}: {violation['help']} ({violation['id']}, {scheme})"
    return [head, *(f"    {node['target']}: {' '.join(node['why'].split())}" for node in violation["nodes"])]


async def _world(cdp: "CDPSession") -> int:
    """A world beside the page's, with axe-core in it."""
    tree = await cdp.send("Page.getFrameTree")
    given = {"frameId": tree["frameTree"]["frame"]["id"], "worldName": "axe"}
    world = (await cdp.send("Page.createIsolatedWorld", given))["executionContextId"]
    await _evaluate(cdp, world, _source())
    return world


async def _evaluate(cdp: "CDPSession", world: int, script: str) -> Any:
    given = {"expression": script, "contextId": world, "awaitPromise": True, "returnByValue": True}
    done = await cdp.send("Runtime.evaluate", given)
    assert "exceptionDetails" not in done, done["exceptionDetails"]
    return done["result"].get("value")


@cache
def _source() -> str:
    assert _FILE.exists(), "axe-core is not installed: make dev"
    return _FILE.read_text("utf-8") + "\n;undefined"
