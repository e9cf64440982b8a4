"""The components of the design, each as it looks: for those who work on the dashboard."""

from fastapi import Response

from penstock.core import instants
from penstock.dashboard.forms import Faults
from penstock.dashboard.page import get
from penstock.dashboard.routes.drawing import Marks, drawn
from penstock.dashboard.routes.ready import READY
from penstock.dashboard.visit import Visit

_WRONG = Faults([("wrong", "wrong: must be a number"), ("other", "Nobody has asked for this.")])
_HOUR = 3_600_000


async def show(visit: Visit) -> Response:
    now = instants.now() // _HOUR * _HOUR
    rows = [[instants.text(now - (24 - hour) * _HOUR), (hour * 37) % 23, (hour * 11) % 7] for hour in range(24)]
    graph = drawn(READY["metadata"].elements, Marks(passed={0: 1, 1: 2}, taken=frozenset({(0, "next")}), fault=2))
    return visit.html(
        "kit/page.html",
        graph=graph,
        elements=READY["metadata"].elements,
        wrong=_WRONG,
        rows=rows,
        at="/ui/kit?page={}".format,
    )


ROUTES = (get("/ui/kit", show),)
