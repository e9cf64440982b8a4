"""A simulated call: what was typed, as the API takes it; and what was told, as the graph and the page show it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from penstock.core import codec
from penstock.dashboard.forms import Faults, Form, Wrong
from penstock.dashboard.routes.drawing import Marks

FIELDS = ("metadata", "headers", "body", "draw")
EMPTY = Form(
    [
        ("body", '{\n  "messages": [\n    {"role": "user", "content": "Hello"}\n  ]\n}'),
        ("metadata", ""),
        ("headers", ""),
    ]
)


class Assumable(NamedTuple):
    """An element whose output can be taken for granted. ``name``: of the form's field."""

    name: str
    id: str
    options: list[tuple[str, str]]
    value: str


def assumable(elements: Sequence[Mapping[str, Any]], form: Form) -> list[Assumable]:
    found: list[Assumable] = []
    for index, each in enumerate(elements):
        kind = each.get("type")
        if kind in {"start", "end"}:
            continue
        fixed = {"conditional": ("true", "false"), "percentage": tuple(each.get("outputs") or ())}
        told = (
            {"success": "passes", "fallback": "is exceeded"}
            if kind != "model"
            else {"success": "answers", "fallback": "fails"}
        )
        names = fixed.get(str(kind), ("success", "fallback"))
        options = [("", "as the call says"), *((name, told.get(name, name)) for name in names)]
        found.append(Assumable(f"assume-{index}", str(each["id"]), options, form.text(f"assume-{index}")))
    return found


def question(form: Form, elements: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The body of the call of the API, without the version. Raises Wrong."""
    wrong: list[tuple[str, str]] = []
    asked: dict[str, Any] = {"headers": {}, "metadata": None, "body": None, "draw": None}
    metadata: dict[str, Any] = {}
    for name, value in _pairs(form, "metadata", "=", wrong):
        metadata[name] = _scalar(value)
    asked["metadata"] = metadata or None
    asked["headers"] = dict(_pairs(form, "headers", ":", wrong))
    if body := form.whole("body").strip():
        try:
            asked["body"] = codec.decode(body)
        except codec.DecodeError as error:
            wrong.append(("body", f"body: is no JSON: {error}"))
    if draw := form.text("draw"):
        try:
            asked["draw"] = float(draw)
        except ValueError:
            wrong.append(("draw", "draw: must be a number"))
    asked["assume"] = {one.id: one.value for one in assumable(elements, form) if one.value}
    if wrong:
        raise Wrong(Faults(wrong))
    return asked


def marks(elements: Sequence[Mapping[str, Any]], told: Mapping[str, Any]) -> Marks:
    """The way that the call would take."""
    places = {each["id"]: index for index, each in enumerate(elements)}
    passed = {places[one["element"]]: number for number, one in enumerate(told["path"], 1)}
    taken = frozenset((places[one["element"]], one["output"]) for one in told["path"])
    return Marks(passed=passed, taken=taken)


def _pairs(form: Form, field: str, sign: str, wrong: list[tuple[str, str]]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for line in form.lines(field):
        name, found, value = line.partition(sign)
        if not found or not name.strip():
            wrong.append((field, f"{field}: each line must be a name, {sign} and a value: {line}"))
        pairs.append((name.strip(), value.strip()))
    return pairs


def _scalar(value: str) -> Any:
    """Numbers, true and false are such; all else is a text."""
    try:
        read = codec.decode(value)
    except codec.DecodeError:
        return value
    return read if isinstance(read, bool | int | float) else value
