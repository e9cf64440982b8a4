"""The list of calls of a gateway: what was asked for, and the page of it."""

from typing import Any

from fastapi import Response

from penstock.control.gateways import service as gateways
from penstock.control.gateways.schema import GatewayPaging
from penstock.control.logs import service as logs
from penstock.control.logs.filters import BY_KEY
from penstock.control.saved_views import service as saved_views
from penstock.core import instants
from penstock.core.errors import Invalid
from penstock.dashboard import snippets
from penstock.dashboard.forms import Faults, Form
from penstock.dashboard.logs import asked, columns
from penstock.dashboard.logs.asked import Asked, Row
from penstock.dashboard.page import get, post
from penstock.dashboard.visit import Visit
from penstock.model.token import Scope

PAGE = "logs"
MOST_OPTIONS = 100  # gateways to choose from
OPERATORS = {
    "eq": "is",
    "neq": "is not",
    "contains": "contains",
    "gt": "more than",
    "gte": "at least",
    "lt": "less than",
    "lte": "at most",
}


async def show(visit: Visit) -> Response:
    """The page, or the part of it that a changed form asks for."""
    question = _asked(visit)
    names = await _gateways(visit)
    gateway = question.text("gateway") or (names[0] if names else "")
    listed, faults = await _listed(visit, gateway, question)
    answer = visit.html(
        "logs/explorer.html" if visit.partial else "logs/page.html",
        200 if visit.partial else 0,  # a part is drawn in its place, whatever is wrong
        asked=question,
        here=question.at(),
        spans=asked.SPANS,
        gateway=gateway,
        gateways=names if gateway in names or not gateway else [gateway, *names],
        rows=[*question.rows, *[Row()] * asked.EMPTY_ROWS],
        keys=[*BY_KEY, "metadata.key", "metadata.value"],
        operators=OPERATORS,
        all_columns=columns.COLUMNS,
        views=await saved_views.views(visit.context, PAGE),
        first_call=snippets.curl(visit, gateway or "default"),
        faults=faults,
        **_told(question, gateway, listed),
    )
    if visit.partial:
        answer.headers["hx-push-url"] = _place(question)
    return answer


async def rows(visit: Visit) -> Response:
    """The table alone, as the page that follows the calls asks for it."""
    question = _asked(visit)
    gateway = question.text("gateway")
    listed, faults = await _listed(visit, gateway, question)
    return visit.html(
        "logs/found.html", 200, asked=question, gateway=gateway, faults=faults, **_told(question, gateway, listed)
    )


async def save(visit: Visit) -> Response:
    form = await visit.form()
    question = asked.read(Form.read(form.text("query").encode("ascii", "ignore")), instants.now())
    await saved_views.save(visit.context, PAGE, form.text("name"), asked.spelt(question.kept))
    return visit.done(question.at(), f"The view {form.text('name')} was saved.")


async def forget(visit: Visit) -> Response:
    form = await visit.form()
    await saved_views.delete(visit.context, PAGE, form.text("view"))
    return visit.done(asked.ADDRESS, "The view was deleted.")


def _asked(visit: Visit) -> Asked:
    return asked.read(Form(visit.request.query_params.multi_items()), instants.now())


def _place(question: Asked) -> str:
    """The address of what is shown, without fields that say nothing."""
    place = [(name, text) for name in ("page", "cursor", "meta_info") if (text := question.text(name))]
    return question.at(asked.ADDRESS, **dict(place))


async def _listed(visit: Visit, gateway: str, question: Asked) -> tuple[logs.Listed | None, Faults]:
    """The page of the list, and what is wrong with the question."""
    if question.faults or not gateway:
        return None, question.faults
    try:
        return await logs.page(visit.context, gateway, question.query, question.tests), question.faults
    except Invalid as error:
        return None, Faults.of(error)


def _told(question: Asked, gateway: str, listed: logs.Listed | None) -> dict[str, Any]:
    """What the template says of the page of the list."""
    query = question.query
    info: dict[str, Any] = listed.info if listed else {}
    by_time, cursor = query.order_by == "created_at", info.get("cursor")
    onward, back = None, None
    if by_time and cursor:
        onward = question.at(page=query.page + 1, cursor=cursor)
    elif not by_time and info.get("count") == query.per_page:
        onward = question.at(page=query.page + 1)
    if query.page > 1 and not by_time:
        back = question.at(page=query.page - 1)
    return {
        "listed": listed,
        "info": info,
        "stopped": [said["message"].partition(". ")[0] for said in _said(listed, logs.STOPPED)],
        "uncounted": bool(_said(listed, logs.UNCOUNTED)),
        "onward": onward,
        "back": back,
        "first": question.at() if query.page > 1 or query.cursor else None,
        "options": {
            name: sorted({row[name] for row in listed.rows}) if listed else [] for name in ("provider", "model")
        },
    }


def _said(listed: logs.Listed | None, code: int) -> list[dict[str, Any]]:
    return [message for message in (listed.messages if listed else []) if message["code"] == code]


async def _gateways(visit: Visit) -> list[str]:
    found, _ = await gateways.page(visit.context, GatewayPaging.model_validate({"per_page": MOST_OPTIONS}))
    return [row["id"] for row in found]


SEES = (Scope.READ, Scope.METADATA)
ROUTES = (
    get("/ui/logs", show, *SEES),
    get("/ui/logs/rows", rows, *SEES),
    post("/ui/logs/views/save", save, *SEES),
    post("/ui/logs/views/delete", forget, *SEES),
)
