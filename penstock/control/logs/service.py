"""The rules of logs: whose they are, what may be seen of them, and that what was just called is there."""

import asyncio
import time
from collections.abc import Awaitable, Iterator
from contextlib import nullcontext, suppress
from typing import Any, Literal, NamedTuple, TypeVar

from penstock.control.context import Context, Control, found
from penstock.control.logs import conversation as conversations
from penstock.control.logs import rendering, streams
from penstock.control.logs.conversation import Conversation
from penstock.control.logs.pages import Pages
from penstock.control.logs.schema import LogDelete, LogEdit, LogQuery
from penstock.core import ids, instants
from penstock.core.codec import encode
from penstock.core.errors import Invalid, NotFound
from penstock.model.token import Scope, Token
from penstock.storage import audit, gateways
from penstock.storage.errors import StoreUnavailable, TooSlow
from penstock.storage.gateways import GatewayRow
from penstock.storage.log.filters import Test
from penstock.storage.log.listing import CREATED
from penstock.storage.log.reader import Page
from penstock.storage.log.redact import without
from penstock.wire.framing import Cutter, cutter_of

SETTLE = 3.0  # seconds that a question waits for rows on their way into the log
HORIZON = 2.5  # seconds after which a row that another process holds is in the log
FLUSH = 0.3  # the same after the end of its call, which began when its id was made
LONGEST = 3600.0  # seconds that a call may well take
BUDGET = 2.0  # seconds that a search looks for rows, before it says how far it came
STOPPED = 7010  # codes of messages
UNCOUNTED = 7011
SORTED = 100_000  # rows of a list that is not in the order of time
LOOK = 0.05  # seconds between two looks for a row of another process
EVENTS = "text/event-stream"
_UNKNOWN = "application/octet-stream"
_NONE = "Not found: there is no such log in this gateway."

_searching = asyncio.Semaphore(1)  # texts that are searched for at a time: that takes a core
_pages = Pages()
_RENDERING = asyncio.Semaphore(2)  # streams that are shown as JSON at a time: each takes up to a second of a core

_T = TypeVar("_T")


class Body(NamedTuple):
    """A stored body and its content type."""

    content: bytes
    kind: str


class Listed(NamedTuple):
    """A page as the API tells it."""

    rows: list[Any]
    info: dict[str, Any]
    messages: list[dict[str, Any]]


async def page(context: Context, gateway_id: str, asked: LogQuery, tests: tuple[Test, ...] = ()) -> Listed:
    """A page of rows. ``tests``: of ``filters``. Raises NotFound and Invalid."""
    control, number = context.control, await _number(context, gateway_id)
    listed = asked.listed(tests, bodies=_reads_bodies(context))
    if listed.order != CREATED and asked.offset > SORTED:
        raise Invalid(f"page: only the first {SORTED} rows are sorted by {asked.order_by}", path=("query", "page"))
    await settled(control)
    place = listed if listed.beyond else _pages.place(number, listed, asked.page)
    async with _searching if listed.search else nullcontext():
        found = await _in_time(control.logs.page(number, place, BUDGET))
    if not listed.beyond:
        _pages.passed(number, listed, asked.page, found.more, stopped=found.stopped)
    info: dict[str, Any] = {"page": asked.page, "per_page": asked.per_page, "count": len(found.rows)}
    if found.more is not None:
        info["cursor"] = ids.text(found.more)
    if asked.meta_info and not listed.search:
        summary = await _in_time(control.logs.summary(number, listed.where))
        info |= {"total_count": summary.count, "total_pages": -(-summary.count // asked.per_page)}
        info |= rendering.ranges(summary)
    return Listed([rendering.entry(row) for row in found.rows], info, list(_messages(found, asked)))


def _messages(found: Page, asked: LogQuery) -> Iterator[dict[str, Any]]:
    """What a search that had to stop says, and one that was to be counted."""
    if found.stopped and found.more is not None:
        seen = f"{'up to' if asked.ascending else 'back to'} {instants.text(ids.millis(found.more))}"
        on = f"Page {asked.page + 1} goes on from there, and so does cursor={ids.text(found.more)}"
        sentence = f"The search stopped after {BUDGET:g} seconds: calls {seen} were looked at. {on}."
        yield {"code": STOPPED, "message": sentence}
    if asked.meta_info and asked.search:
        yield {"code": UNCOUNTED, "message": "meta_info: what a search finds is not counted.", "path": ["query"]}


def _reads_bodies(context: Context) -> bool:
    return not isinstance(context.actor, Token) or Scope.READ in context.actor.scopes


async def get(context: Context, gateway_id: str, log_id: str) -> dict[str, Any]:
    """One row; with the heads of its bodies for who may read bodies. Raises NotFound."""
    control, number = context.control, await _number(context, gateway_id)
    row = await _row(control, number, log_id)
    shown = rendering.detail(row)
    if _reads_bodies(context):
        shown |= rendering.heads(*await _in_time(control.logs.bodies(number, ids.parse(row.id))))
    return shown


async def body(
    context: Context, gateway_id: str, log_id: str, side: Literal["request", "response"], *, raw: bool
) -> Body:
    """A stored body; a stream of events as JSON, unless ``raw`` or of too many events. Raises NotFound, also where
    none was kept.
    """
    control, number = context.control, await _number(context, gateway_id)
    row = await _row(control, number, log_id)
    request, response = await _in_time(control.logs.bodies(number, ids.parse(row.id)))
    content, kind = request, row.request_content_type
    if side == "response":
        content, kind = response, row.response_content_type
    if not content:
        raise NotFound(f"Not found: the log has no {side} body; none came, or it was not kept.")
    cutter = None if raw else cutter_of((kind or "").encode())
    if cutter is not None:
        with suppress(streams.TooMany):
            async with _RENDERING:
                return Body(await asyncio.to_thread(_rendered, content, cutter), "application/json")
    return Body(content, kind if kind and kind.isascii() and kind.isprintable() else _UNKNOWN)


async def conversation(context: Context, gateway_id: str, log_id: str) -> Conversation:
    """What was said in a call, as far as bodies were kept and can be read. For who may read bodies.

    Raises NotFound.
    """
    control, number = context.control, await _number(context, gateway_id)
    row = await _row(control, number, log_id)
    request, response = await _in_time(control.logs.bodies(number, ids.parse(row.id)))
    async with _RENDERING:
        kind = row.response_content_type
        return await asyncio.to_thread(conversations.read, row.path, request or b"", response or b"", kind)


def _rendered(content: bytes, cutter: type[Cutter]) -> bytes:
    return encode(streams.as_json(content, cutter))


async def settled(control: Control, limit: float = SETTLE) -> bool:
    """Returns when what was called until now is in the log, or after ``limit`` seconds; whether it is."""
    if control.sink.pending():
        try:
            await asyncio.wait_for(control.sink.settled(), limit)
        except TimeoutError:
            return False  # the store is away or far behind: what is there is better than nothing
    return True


def patience(made: int, now: int) -> float:
    """Seconds to wait for the row of an id that was made then (milliseconds since the epoch, as ``now`` is)."""
    age = (now - made) / 1000
    if not -HORIZON <= age <= LONGEST:
        return 0.0  # an old one, or the clocks differ by more than they may: it is there, or it is none
    return min(HORIZON, max(HORIZON - age, FLUSH))


async def edit(context: Context, gateway_id: str, log_id: str, body: LogEdit) -> None:
    """Sets what was sent of a row, also of one that is still on its way. Returns when that is committed.

    Raises NotFound; StoreUnavailable where the log is so far behind that the row may still come.
    """
    control, gateway = context.control, await _gateway(context, gateway_id)
    number = gateway.number
    row, current = await _find(control, number, log_id)
    if row is None and not current:
        waiting = control.sink.pending()
        raise StoreUnavailable(f"The log is behind, {waiting:,} rows wait: the row may still come. Try again later.")
    values = body.values()
    if values.get("metadata") is not None and (paths := gateway.settings.get("log_redact")):
        values["metadata"] = without(values["metadata"], tuple(paths))
    if row is None or (values and not await _written(control.logs.edit(number, ids.parse(row.id), values))):
        raise NotFound(_NONE)


async def delete(context: Context, gateway_id: str, asked: LogDelete, tests: tuple[Test, ...] = ()) -> dict[str, Any]:
    """Deletes rows, with their bodies; ``result_info``. ``tests``: of ``filters``. Raises NotFound and Invalid.

    What was deleted before a failure stays deleted, and is in the audit trail.
    """
    control, number = context.control, await _number(context, gateway_id)
    await settled(control)
    found = await _in_time(control.logs.ids(number, asked.deleted(tests), BUDGET))
    more, left, count = len(found.ids) == asked.limit or found.stopped is not None, sorted(found.ids), 0
    try:
        while left:
            rows, left = await _written(control.logs.erase(number, left))
            count += rows
    finally:
        if count:
            await _record_deletion(context, gateway_id, asked, tests, count)
    return {"count": count, "more": more}


async def _record_deletion(
    context: Context, gateway_id: str, asked: LogDelete, tests: tuple[Test, ...], count: int
) -> None:
    told: dict[str, Any] = {"rows": count}
    if asked.before is not None:
        told["before"] = instants.text(asked.before)
    if tests:
        told["filters"] = list(tests)
    async with context.control.database.writing() as connection:
        await audit.add(connection, context.account, context.actor, "logs.delete", gateway_id, told, None)


async def _written(change: Awaitable[_T]) -> _T:
    try:
        return await change
    except TooSlow:
        raise StoreUnavailable("The log is busy: nothing was changed. Try again.") from None


async def _number(context: Context, gateway_id: str) -> int:
    return (await _gateway(context, gateway_id)).number


async def _gateway(context: Context, gateway_id: str) -> GatewayRow:
    """Raises NotFound, also for one that the caller's token does not open."""
    if context.limited_to is not None and gateway_id not in context.limited_to:
        raise NotFound
    async with context.control.database.reading() as connection:
        return found(await gateways.get(connection, context.account, gateway_id))


async def _row(control: Control, number: int, log_id: str) -> Any:
    """The row. Raises NotFound."""
    row, _ = await _find(control, number, log_id)
    if row is None:
        raise NotFound(_NONE)
    return row


async def _find(control: Control, number: int, log_id: str) -> tuple[Any, bool]:
    """The row, or None, and whether all rows of this process were in the log, as far as that had to be known.

    It is looked for again while it may be on its way, from this process or another. Raises NotFound for what is no id.
    """
    try:
        key = ids.parse(log_id)
    except ValueError:
        raise NotFound(_NONE) from None
    current, waited = True, control.sink.pending()  # before the look: the row may be written meanwhile
    row = await _in_time(control.logs.get(number, key))
    if row is None and waited:
        current = await settled(control)
        row = await _in_time(control.logs.get(number, key))
    until = time.monotonic() + (patience(ids.millis(key), instants.now()) if control.shared else 0.0)
    while row is None and time.monotonic() < until:
        await asyncio.sleep(LOOK)
        row = await _in_time(control.logs.get(number, key))
    return row, current


async def _in_time(question: Awaitable[_T]) -> _T:
    try:
        return await question
    except TooSlow:
        raise Invalid(
            "The log is too large for this search: narrow it with start_date and end_date, or ask without meta_info.",
            path=("query",),
        ) from None
