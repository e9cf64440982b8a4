"""Pages of a list, by the parameter ``page`` of the address."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
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


def number(visit: Visit, name: str = "page") -> int:
    """The page that is asked for; the first, where that is none."""
    typed = visit.query.get(name, "")
    return min(max(int(typed), 1), _LAST) if typed.isdecimal() and len(typed) < len(str(_LAST)) else 1


def asked(visit: Visit, per_page: int = PER_PAGE, name: str = "page") -> Paging:
    return Paging(page=number(visit, name), per_page=per_page)


def pages(visit: Visit, total: int, per_page: int = PER_PAGE, *, name: str = "page", path: str = "") -> Pages:
    """``name``: of the parameter, where a page has several lists. ``path``: of the page, unless it is asked for now."""
    rest = [(key, value) for key, value in visit.request.query_params.multi_items() if key != name and value]
    path = path or visit.request.url.path

    def at(page: int) -> str:
        return f"{path}?{urlencode([*rest, (name, str(page))])}"

    return Pages(number(visit, name), -(-total // per_page), at, total)


def address(path: str, fields: Mapping[str, Any]) -> str:
    """The page with these fields in its query; those without a value are left out."""
    given = {name: value for name, value in fields.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path
