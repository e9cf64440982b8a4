"""Deleting the calls that a list shows: how many they are, and whether that is meant."""

from fastapi import Response

from penstock.control.logs import service
from penstock.control.logs.schema import MOST_DELETED, LogDelete
from penstock.core import instants
from penstock.core.errors import Invalid
from penstock.dashboard.forms import Form
from penstock.dashboard.logs import asked
from penstock.dashboard.logs.asked import Asked
from penstock.dashboard.logs.view import SEES
from penstock.dashboard.page import get, post
from penstock.dashboard.visit import Visit
from penstock.model.token import Scope
from penstock.storage.log.filters import Operator, Test


async def ask(visit: Visit) -> Response:
    """How many calls there are. The question that is answered ends now, so that no later call is meant."""
    visit.need(*SEES)
    given = Form(visit.request.query_params.multi_items())
    question = asked.read(given, instants.now())
    gateway = _gateway(question)
    _refuse(question)
    pairs = [(name, value) for name, value in question.kept if name not in ("span", "start_date", "end_date")]
    until = question.query.end_date if question.query.end_date is not None else instants.now()
    pairs.append(("end_date", instants.text(until)))
    if question.query.start_date is not None:
        pairs.append(("start_date", instants.text(question.query.start_date)))
    meant = asked.read(Form(pairs), instants.now())
    counting = meant.query.model_copy(update={"meta_info": True, "per_page": 1, "order_by": "created_at", "page": 1})
    try:
        count = (await service.page(visit.context, gateway, counting, meant.tests)).info["total_count"]
    except Invalid:  # too many to be counted in time
        count = None
    return visit.html(
        "logs/delete.html",
        gateway=gateway,
        count=count,
        most=MOST_DELETED,
        filtered=question.filtered,
        query=asked.spelt(meant.kept),
        back=question.at(),
    )


async def delete(visit: Visit) -> Response:
    """Deletes them, the oldest first."""
    form = await visit.form()
    question = asked.read(Form.read(form.text("query").encode("ascii", "ignore")), instants.now())
    gateway = _gateway(question)
    _refuse(question)
    done = await service.delete(
        visit.context, gateway, LogDelete.model_validate({"limit": MOST_DELETED}), tuple(_tests(question))
    )
    more = " There are more: delete again." if done["more"] else ""
    back = asked.spelt([("gateway", gateway)])
    return visit.done(f"{asked.ADDRESS}?{back}", f"{done['count']:,} calls were deleted.{more}")


def _gateway(question: Asked) -> str:
    """Raises Invalid."""
    if not (gateway := question.text("gateway")):
        raise Invalid("gateway: say of which one", path=("query", "gateway"))
    return gateway


def _refuse(question: Asked) -> None:
    """Raises Invalid for a question that no deletion can follow."""
    if question.faults:
        raise Invalid(" ".join(question.faults.all), path=("query",))
    if question.query.search:
        raise Invalid("search: what a search finds cannot be deleted: use filters", path=("query", "search"))


def _tests(question: Asked) -> list[Test]:
    where = question.query.filter(question.tests)
    ends: tuple[tuple[Operator, int | None], ...] = (("gte", where.since), ("lte", where.until))
    return [*where.tests, *(Test("created_at", operator, (end,)) for operator, end in ends if end is not None)]


ROUTES = (
    get("/ui/logs/delete", ask, Scope.WRITE),
    post("/ui/logs/delete", delete, Scope.WRITE),
)
