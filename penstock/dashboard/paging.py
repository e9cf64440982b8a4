"""Pages of a list, by the parameter ``page`` of the address."""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlencode

from penstock.control.envelope import Paging
from penstock.dashboard.visit import Visit

PER_PAGE = 50
_LAST = 10_000_000


class Pages(NamedTuple):
    """As ``kit.pager`` takes them. ``at``: the address of a page of that number, all else as it is."""

    page: int
    pages: int
    at: Callable[[int], str]
    total: int


def number(visit: Visit) -> int:
    """The page that is asked for; the first, where that is none."""
    typed = visit.query.get("page", "")
    return min(max(int(typed), 1), _LAST) if typed.isdecimal() and len(typed) < len(str(_LAST)) else 1


def asked(visit: Visit, per_page: int = PER_PAGE) -> Paging:
    return Paging(page=number(visit), per_page=per_page)


def pages(visit: Visit, total: int, per_page: int = PER_PAGE) -> Pages:
    rest = [(name, value) for name, value in visit.request.query_params.multi_items() if name != "page" and value]
    path = visit.request.url.path

    def at(page: int) -> str:
        return f"{path}?{urlencode([*rest, ('page', str(page))])}"

    return Pages(number(visit), -(-total // per_page), at, total)
