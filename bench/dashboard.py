"""The dashboard: what a call costs while somebody looks at it, and how soon each page answers with a large log."""

import itertools
import threading
import time
from collections.abc import Generator
from contextlib import closing, contextmanager

import httpx

from bench import targets
from bench.figures import Budget, median, paired_difference, paired_ratio, verdict
from bench.logs import batches
from bench.procs import Server
from bench.session import Session
from bench.table import Table
from bench.throughput import Target, run
from penstock.dashboard.navigation import PLACES
from penstock.storage import opening
from penstock.storage.log.table import LogTable

ROWS = 1_000_000  # of the log that pages show
TICK = 2.0  # seconds after which an open page asks what is new, as page.js has it
TIMES = 5  # each page is asked for; the median counts
SAME = Budget("≤", 1.05, "×")
PAGE = Budget("≤", 200, "ms")
HEADING = ("", "requests/s", "CPU µs", "µs more", "×", "budget", "")
_MORE = (
    *("/?span=30d", "/ui/logs?gateway=default&success=false", "/ui/logs?gateway=default&order_by=cost"),
    *("/ui/gateways/default", "/ui/gateways/default/settings"),
)


def measure(session: Session) -> Table:
    """Two servers alike, one of them with the overview open in a browser that follows the calls."""
    table = Table("A dashboard that is open", HEADING)
    with session.alone() as part:
        text = targets.config(part.upstream.port)
        plain, seen = part.serving("plain", text), part.serving("seen", text)
        plan = [
            Target("no dashboard open", plain, (targets.LOGGED,), part.store(plain)),
            Target("the overview open, following", seen, (targets.LOGGED,), part.store(seen)),
        ]
        with _open(seen):
            without, beside = run(part, plan)
    more = paired_difference([one.cpu for one in beside], [one.cpu for one in without])
    ratio = paired_ratio([one.cpu for one in beside], [one.cpu for one in without])
    alone = (f"{median([one.rate for one in without]):,.0f}", f"{median([one.cpu for one in without]):.1f}")
    table.add(plan[0].name, *alone, "", "", "", "")
    row = (f"{median([one.rate for one in beside]):,.0f}", f"{median([one.cpu for one in beside]):.1f}")
    table.add(plan[1].name, *row, f"{more:+.1f}", f"{ratio:.3f}", SAME.text(), verdict((SAME, ratio)))
    table.notes.append("CPU µs: a call, all processes of the server, the pages that are shown included.")
    return table


def pages(session: Session) -> Table:
    """Every page of the navigation, and some views of the log, with a million calls of 30 days."""
    rows = min(session.log_rows, ROWS)
    table = Table(f"Pages with {rows:,} calls in the log", ("page", "ms", "longest", "budget", ""))
    with session.alone() as part:
        server = part.serving("pages", targets.config(part.upstream.port), {"default": {}})
        with closing(opening.connect(part.store(server))) as connection:
            ((gateway,),) = connection.execute("SELECT number FROM gateways WHERE id = 'default'")
            writer = LogTable(connection)
            for batch in batches(gateway, rows):
                writer.write(batch)
            connection.execute("ANALYZE")
        with _signed_in(server) as browser:
            for address in (*(place.address for place in PLACES), *_MORE):
                took = sorted(_asked(browser, address) for _ in range(TIMES))
                table.add(address, f"{median(took):.0f}", f"{took[-1]:.0f}", PAGE.text(), verdict((PAGE, median(took))))
    return table


def _asked(browser: httpx.Client, address: str) -> float:
    """Milliseconds until a page was there."""
    began = time.monotonic()
    browser.get(address).raise_for_status()
    return (time.monotonic() - began) * 1000


@contextmanager
def _open(server: Server) -> Generator[None]:
    """Somebody looks at the overview as long as the block runs."""
    over = threading.Event()

    def look() -> None:
        with _signed_in(server) as browser:
            browser.get("/").raise_for_status()
            for _ in itertools.count():
                if over.wait(TICK):
                    return
                browser.get("/ui/tail", headers={"hx-request": "true"}).raise_for_status()

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()


@contextmanager
def _signed_in(server: Server) -> Generator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", follow_redirects=True, timeout=60) as browser:
        browser.post("/ui/sign-in", data={"token": targets.TOKEN}).raise_for_status()
        yield browser
