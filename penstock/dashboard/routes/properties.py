"""The form of one element: what it shows, and the element that it makes. Pure.

What was not touched stays as it is, whatever it is: members that no form has, and values that none could hold.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from penstock.core import codec
from penstock.dashboard.forms import Faults, Form, Wrong
from penstock.dashboard.routes import conditions
from penstock.dashboard.routes.editing import Element, Elements, missing, renamed, replaced
from penstock.features.routing.graph.reading import SHARES
from penstock.features.routing.graph.targets import TARGETS

MOST_OUTPUTS = 8  # rows; an element that can run has five at most
CONDITION = "p-condition"


class Field(NamedTuple):
    """``path``: of the member of the properties, and of the one that means the same. ``options``: of a choice."""

    path: tuple[str, ...]
    label: str
    hint: str = ""
    number: bool = False
    options: tuple[tuple[str, str], ...] = ()
    alias: str = ""

    @property
    def name(self) -> str:
        return "p-" + "-".join(self.path)


class Shown(NamedTuple):
    field: Field
    value: str


class Target(NamedTuple):
    provider: str
    model: str
    weight: str


class Output(NamedTuple):
    """``fixed``: its name cannot be changed."""

    name: str
    target: str
    fixed: bool


class Panel(NamedTuple):
    """What the form shows. ``rows`` None: the condition is edited as JSON alone."""

    kind: str
    id: str
    fields: list[Shown]
    health: list[Shown]
    targets: list[Target]
    rows: conditions.Rows | None
    condition: str | None
    outputs: list[Output]


_LIMIT = (
    Field(("limitType",), "What is counted", options=(("count", "calls"), ("cost", "US dollars"))),
    Field(("limit",), "Limit", "Calls, or US dollars.", number=True),
    Field(("window",), "Window", "Seconds; 3600 is an hour, 86400 a day.", number=True, alias="interval"),
    Field(("key",), "For each", "metadata.user, headers.x-team, body.user, cf.country: each value has its own count."),
    Field(
        ("technique",), "Technique", options=(("", "as the type has it"), ("fixed", "fixed"), ("sliding", "sliding"))
    ),
)
FIELDS: dict[str, tuple[Field, ...]] = {
    "percentage": (
        Field(("stickyBy",), "Keep calls on their output by", "session, or metadata.user; empty: each call is drawn."),
    ),
    "rate": _LIMIT,
    "rate_limit": _LIMIT,
    "model": (
        Field(("timeout",), "Timeout", "Milliseconds to the first byte; 0: none.", number=True),
        Field(("retries",), "Retries", "Further attempts, 0 to 5.", number=True),
        Field(
            ("strategy",),
            "Of several models, ask",
            options=(("", "by weight (the default)"), ("weighted", "by weight"), ("fastest", "the fastest of late")),
        ),
    ),
}
HEALTH = (
    Field(("health", "failures"), "After failures in a row", "1 to 1000", number=True),
    Field(("health", "errorRate"), "Or after this share of failures", "Above 0 to 1.", number=True),
    Field(("health", "window"), "Of the last seconds", "60, unless it is said.", number=True),
    Field(("health", "minimum"), "With at least so many calls", "10, unless it is said.", number=True),
    Field(("health", "pause"), "For so many seconds", "30, unless it is said.", number=True),
)


def panel(element: Mapping[str, Any]) -> Panel:
    kind, properties = str(element.get("type", "")), _object(element.get("properties"))
    given = _given(properties)
    outputs = _object(element.get("outputs"))
    rows = [Output(name, _leads(output), kind != "percentage") for name, output in outputs.items()][:MOST_OUTPUTS]
    rows += [Output(name, "", fixed=True) for name in missing(element)]
    if kind == "percentage" and len(rows) < SHARES:
        rows.append(Output("", "", fixed=False))
    is_condition = kind == "conditional"
    return Panel(
        kind=kind,
        id=str(element["id"]),
        fields=_shown(FIELDS.get(kind, ()), properties),
        health=_shown(HEALTH, properties) if kind == "model" else [],
        targets=_targets(properties) if kind == "model" else [],
        rows=conditions.rows(given) if is_condition else None,
        condition=("" if given is None else codec.indented(given).rstrip()) if is_condition else None,
        outputs=rows,
    )


def applied(elements: Sequence[Element], index: int, form: Form) -> Elements:
    """With what was typed into the form of that element. Raises Wrong for what cannot even be kept."""
    element = elements[index]
    old = panel(element)
    properties: dict[str, Any] = dict(_object(element.get("properties")))
    for shown in (*old.fields, *old.health):
        _put(properties, shown, form)
    if old.kind == "model":
        _put_targets(properties, old.targets, form)
    if old.kind == "conditional":
        _put_condition(properties, old, form)
    made = {**element}
    if properties != _object(element.get("properties")):
        made["properties"] = properties
    _put_outputs(made, old, form)
    found = replaced(elements, index, made)
    name = form.text("p-id")
    if "p-id" not in form or _same(name, old.id):
        return found
    if not name or any(str(each["id"]) == name for each in elements):
        raise Wrong(Faults([("p-id", f"id: another element is named {name}" if name else "id: an element needs one")]))
    return renamed(found, index, name)


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _leads(output: Any) -> str:
    return str(_object(output).get("elementId", ""))


def _shown(fields: Sequence[Field], properties: Mapping[str, Any]) -> list[Shown]:
    return [Shown(field, _told(_value(field, properties))) for field in fields]


def _value(field: Field, properties: Mapping[str, Any]) -> Any:
    *above, name = field.path
    for each in above:
        properties = _object(properties.get(each))
    found = properties.get(name)
    return properties.get(field.alias) if found is None and field.alias else found


def _told(value: Any) -> str:
    """Of a value in a field of one line."""
    if value is None:
        return ""
    return value if isinstance(value, str) else codec.encode(value).decode("utf-8", "replace")


def _same(typed: str, shown: str) -> bool:
    """Browsers drop the ends of lines from a field of one line, and the form what is round a text."""
    return typed in {shown, shown.strip(), "".join(shown.splitlines()).strip()}


def _read(typed: str, *, number: bool) -> Any:
    """What is no number is kept as it was typed: the fault of the graph says what is wrong with it."""
    if not number:
        return typed
    try:
        read = codec.decode(typed)
    except codec.DecodeError:
        return typed
    return read if isinstance(read, int | float) else typed


def _put(properties: dict[str, Any], shown: Shown, form: Form) -> None:
    field = shown.field
    typed = form.text(field.name)
    if field.name not in form or _same(typed, shown.value):
        return
    *above, name = field.path
    at = properties
    for each in above:
        at[each] = at = dict(_object(at.get(each)))
    if field.alias and name not in at and field.alias in at:
        name = field.alias
    if typed:
        at[name] = _read(typed, number=field.number)
        return
    at.pop(name, None)
    if above and not at:
        properties.pop(above[0])


def _targets(properties: Mapping[str, Any]) -> list[Target]:
    listed: Any = properties.get("targets")
    if not isinstance(listed, list):
        return [Target(_told(properties.get("provider")), _told(properties.get("model")), "")]
    rows = [_object(each) for each in cast("list[Any]", listed)[:TARGETS]]
    return [Target(*(_told(row.get(name)) for name in Target._fields)) for row in rows]


def _put_targets(properties: dict[str, Any], old: Sequence[Target], form: Form) -> None:
    typed = [Target(*(form.text(f"t-{row}-{name}") for name in Target._fields)) for row in range(TARGETS)]
    typed = [row for row in typed if row.provider or row.model]
    if "t-0-provider" not in form or _all_same(typed, [row for row in old if row.provider or row.model]):
        return
    for name in ("targets", "provider", "model"):
        properties.pop(name, None)
    if len(typed) == 1 and not typed[0].weight:
        properties.update(provider=typed[0].provider, model=typed[0].model)
    elif typed:
        properties["targets"] = [{"provider": row.provider, "model": row.model, **_weight(row)} for row in typed]


def _weight(row: Target) -> dict[str, Any]:
    return {"weight": _read(row.weight, number=True)} if row.weight else {}


def _all_same(typed: Sequence[Sequence[str]], shown: Sequence[Sequence[str]]) -> bool:
    return len(typed) == len(shown) and all(
        all(_same(one, other) for one, other in zip(left, right, strict=True))
        for left, right in zip(typed, shown, strict=True)
    )


def _given(properties: Mapping[str, Any]) -> Any:
    found = properties.get("conditions")
    return properties.get("condition") if found is None else found


def _put_condition(properties: dict[str, Any], old: Panel, form: Form) -> None:
    """The JSON counts where it was touched, or else the rows."""
    name = "condition" if properties.get("conditions") is None and "condition" in properties else "conditions"
    typed = form.whole(CONDITION).strip()
    if CONDITION in form and typed != (old.condition or "").replace("\r\n", "\n").strip():
        try:
            properties[name] = codec.decode(typed)
        except codec.DecodeError as error:
            raise Wrong(Faults([(CONDITION, f"condition: is no JSON: {error}")])) from None
        return
    rows = [
        conditions.Row(*(form.text(f"c-{row}-{part}") for part in conditions.Row._fields))
        for row in range(conditions.MOST)
    ]
    rows = [row for row in rows if row.field]
    known = conditions.Rows("and", []) if old.rows is None else old.rows
    join = form.text("c-join", known.join)
    if "c-0-field" in form and not (_all_same(rows, known.rows) and join == known.join):
        properties[name] = conditions.condition(join, rows)


def _put_outputs(element: Element, old: Panel, form: Form) -> None:
    typed = [(form.text(f"o-{row}-name"), _target(form, f"o-{row}-to")) for row in range(MOST_OUTPUTS + 2)]
    typed = [row for row in typed if row[0] and row[1]]
    shown = [(output.name, output.target) for output in old.outputs if output.name and output.target]
    if "o-0-name" not in form or _all_same(typed, shown):
        return
    outputs = _object(element.get("outputs"))
    names = [name for name, _ in typed]
    if len({*names}) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Wrong(Faults([("outputs", f"outputs: two are named {twice}; a comment after % tells them apart")]))
    made = {name: {**_object(outputs.get(name)), "elementId": target} for name, target in typed}
    made |= {name: output for name, output in list(outputs.items())[MOST_OUTPUTS:] if name not in made}
    element["outputs"] = made


def _target(form: Form, name: str) -> str:
    """As it was sent: an id may have spaces round it."""
    return form.whole(name)
