"""The page of one call: what was said, what it took and cost, what decided, and what people say of it."""

import asyncio
from typing import Any

from fastapi import Response

from penstock.control.logs import filters, service
from penstock.control.logs.conversation import Conversation
from penstock.control.logs.routes import HARMLESS
from penstock.control.logs.schema import LogEdit, LogQuery
from penstock.core import codec
from penstock.core.codec import DecodeError
from penstock.core.errors import Invalid, NotFound
from penstock.dashboard import navigation, security
from penstock.dashboard.forms import NO_FAULTS, Faults, Form, Wrong, checked
from penstock.dashboard.logs import again, told, turns
from penstock.dashboard.logs.view import SEES
from penstock.dashboard.page import get, post
from penstock.dashboard.visit import Visit
from penstock.model.token import Scope

PLAYGROUND = "/ui/playground"
SIDES = ("request", "response")
_VOTES = {"up": 1, "down": -1, "none": None}
_UNREAD = Conversation(None, [])


async def show(visit: Visit) -> Response:
    return await _page(visit, NO_FAULTS)


async def _page(visit: Visit, faults: Faults, form: Form | None = None) -> Response:
    gateway, log_id = visit.path("gateway"), visit.path("id")
    row = await service.get(visit.context, gateway, log_id)
    reads = visit.may(Scope.READ)
    said = await service.conversation(visit.context, gateway, log_id) if reads else _UNREAD
    bars, whole = told.bars(row["timings"], row["attempts"])
    return visit.html(
        "logs/row.html",
        row=row,
        gateway=gateway,
        here=f"/ui/logs/{gateway}/{row['id']}",
        reads=reads,
        conversation=await asyncio.to_thread(turns.shown, *said),
        asked=list(turns.parameters(said.request)) if said.request is not None else [],
        read={"request": said.request is not None, "response": bool(said.answers)},
        sides=SIDES,
        bars=bars,
        whole=whole,
        decisions=told.decisions(row["decisions"]),
        steps=await _steps(visit, gateway, row),
        code=await again.code(visit, gateway, row) if reads else [],
        playground=_playground(visit, gateway, row),
        metadata=form.whole("metadata") if form is not None else _indented(row["metadata"]),
        score=form.text("score") if form is not None else row["score"],
        faults=faults,
    )


async def body(visit: Visit) -> Response:
    """A stored body, bare, and harmless to the browser; a stream as JSON unless ``raw`` is asked for."""
    side = visit.path("side")
    if side not in ("request", "response"):
        raise NotFound
    raw = side == "request" or visit.query.get("raw") == "true"
    stored = await service.body(visit.context, visit.path("gateway"), visit.path("id"), side, raw=raw)
    return Response(stored.content, headers={**security.HEADERS, **HARMLESS, "content-type": _unrendered(stored.kind)})


def _unrendered(kind: str) -> str:
    """A document of a peer's is shown as the text that it is: no page that it draws stands at our address."""
    named = kind.partition(";")[0].lower()
    return "text/plain; charset=utf-8" if any(sign in named for sign in ("html", "xml", "multipart")) else kind


async def vote(visit: Visit) -> Response:
    """Thumbs up, down, or neither."""
    given = (await visit.form()).text("feedback")
    if given not in _VOTES:
        raise Invalid("feedback: must be up, down or none", path=("body", "feedback"))
    return await _edited(visit, {"feedback": _VOTES[given]}, "Your feedback was kept.")


async def edit(visit: Visit) -> Response:
    """Score and metadata."""
    form = await visit.form()
    try:
        return await _edited(visit, _sent(form), "The call was changed.")
    except Wrong as wrong:
        return await _page(visit, wrong.faults, form)


def _sent(form: Form) -> dict[str, Any]:
    """Raises Wrong."""
    sent: dict[str, Any] = {"score": None, "metadata": None}
    if score := form.text("score"):
        try:
            sent["score"] = float(score)
        except ValueError:
            raise Wrong(Faults([("score", "score: must be a number from 0 to 100")])) from None
    if metadata := form.text("metadata"):
        try:
            sent["metadata"] = codec.decode(metadata.encode())
        except DecodeError:
            raise Wrong(Faults([("metadata", 'metadata: is not JSON; write it as {"user": "u-17"}')])) from None
    return sent


async def _edited(visit: Visit, sent: dict[str, Any], sentence: str) -> Response:
    """Raises Wrong."""
    gateway, log_id = visit.path("gateway"), visit.path("id")
    await service.edit(visit.context, gateway, log_id, checked(LogEdit, sent))
    return visit.done(f"/ui/logs/{gateway}/{log_id}", sentence)


async def _steps(visit: Visit, gateway: str, row: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of the same event: the call's steps, and other calls that were named the same; in order of time."""
    event = [("filters.key", "event_id"), ("filters.operator", "eq"), ("filters.value", row["event_id"])]
    query = LogQuery.model_validate({"per_page": 50, "direction": "asc"})
    found = await service.page(visit.context, gateway, query, filters.tests(event))
    return found.rows if len(found.rows) > 1 else []


def _playground(visit: Visit, gateway: str, row: dict[str, Any]) -> str:
    """Where the call can be tried again; empty: nowhere."""
    there = any(place.address == PLAYGROUND and visit.may(*place.scopes) for place in navigation.PLACES)
    return f"{PLAYGROUND}?from={gateway}/{row['id']}" if there else ""


def _indented(metadata: str | None) -> str:
    return turns.pretty(metadata) if metadata else ""


_ROW = "/ui/logs/{gateway}/{id}"
ROUTES = (
    get(_ROW, show, *SEES),
    get(f"{_ROW}/{{side}}", body, Scope.READ),
    post(f"{_ROW}/vote", vote, Scope.WRITE),
    post(f"{_ROW}/edit", edit, Scope.WRITE, shows=SEES),
)
