"""Templates, and how values are shown in them. All text is escaped; there is no way around it for what peers sent."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import jinja2

from penstock.core import codec, instants
from penstock.dashboard import files

HERE = Path(__file__).parent
NONE = "–"  # where there is no value
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
_SIZES = ("bytes", "KB", "MB", "GB", "TB")
_KILO = 1000


@cache
def environment() -> jinja2.Environment:
    """Made at the first page: a process that shows none loads no template."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    cast("Any", made).filters.update(FILTERS)
    cast("Any", made).globals["static"] = files.address
    return made


def page(template: str, values: Mapping[str, Any]) -> bytes:
    return environment().get_template(template).render(values).encode("utf-8", "replace")


def plain(value: object) -> str:
    """Text of a peer's with characters that do not show, or turn the line round, made visible: ``[U+202E]``."""
    return _INVISIBLE.sub(lambda sign: f"[U+{ord(sign[0]):04X}]", _text(value))


def _text(value: object) -> str:
    """Halves of characters, which no page can hold, are written out."""
    return str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def number(value: float | None, places: int = 0) -> str:
    """``12,345``."""
    return NONE if value is None else f"{value:,.{places}f}"


def short(value: float | None) -> str:
    """A number in three or four figures: ``12.3k``."""
    if value is None:
        return NONE
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size * (10 if sign == "k" else 1):
            return f"{value / size:.1f}".removesuffix(".0") + sign
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def dollars(value: float | None) -> str:
    """With as many places as the amount needs: ``$0.000315``, ``$12.50``."""
    if value is None:
        return NONE
    sign, size = "-" if value < 0 else "", abs(value)
    if size == 0 or size >= 1:
        return f"{sign}${size:,.2f}"
    whole, _, rest = f"{size:.9f}".rstrip("0").partition(".")
    return f"{sign}${whole}.{rest.ljust(2, '0')}"


def about(value: float | None) -> str:
    """Dollars to three figures, where there is little room."""
    if value is None or value == 0 or abs(value) >= 1:
        return dollars(value)
    return dollars(float(f"{value:.3g}"))


def millis(value: float | None) -> str:
    """A length of time in milliseconds: ``340 ms``, ``2.1 s``."""
    if value is None:
        return NONE
    if value < _KILO:
        return f"{value:.0f} ms" if value >= 1 or value == 0 else f"{value:.2f} ms"
    return f"{value / _KILO:.1f} s"


def size(value: float | None) -> str:
    if value is None:
        return NONE
    for unit in _SIZES:
        if value < _KILO or unit == _SIZES[-1]:
            return f"{value:.0f} {unit}" if unit == _SIZES[0] else f"{value:.1f} {unit}"
        value /= _KILO
    raise AssertionError


def percent(part: float | None, whole: float | None) -> str:
    return NONE if not whole or part is None else f"{100 * part / whole:.1f} %"


def when(value: str | int | None) -> str:
    """A point in time, in UTC: ``2026-11-30 12:00:05``. ISO 8601 or milliseconds since the epoch."""
    if value is None or value == "":
        return NONE
    moment = instants.parse(value) if isinstance(value, str) else value
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def seconds(value: str) -> float:
    """Of a point in time, since the epoch: what charts reckon with."""
    return instants.parse(value) / 1000


def in_unit(value: float | None, unit: str) -> str:
    """A value of a chart's series."""
    return {"dollars": dollars, "millis": millis}.get(unit, short)(value)


def pretty(value: object) -> str:
    """JSON on several lines."""
    return codec.indented(value).rstrip()


FILTERS: dict[str, Any] = {
    "plain": plain,
    "number": number,
    "short": short,
    "dollars": dollars,
    "about": about,
    "millis": millis,
    "size": size,
    "percent": percent,
    "when": when,
    "seconds": seconds,
    "pretty": pretty,
    "in_unit": in_unit,
}
