"""The editor of a route's graph. Its state is in its form: the elements, which one is open, and what was begun from.

Every button sends the form to the same address. What was typed for the open element is put into it first, then what the
button says is done, and the answer is the editor as it is then; nothing is stored before a version is saved.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from fastapi import Response

from penstock.control.envelope import Paging
from penstock.control.routes import service
from penstock.control.routes.faults import fault, sentence
from penstock.control.routes.schema import VersionCreate
from penstock.core import codec
from penstock.core.errors import ControlError
from penstock.dashboard.forms import NO_FAULTS, Faults, Form, Wrong, checked
from penstock.dashboard.page import get, post
from penstock.dashboard.routes import conditions, editing, properties, simulating, view, words
from penstock.dashboard.routes.drawing import NO_MARKS, drawn
from penstock.dashboard.visit import Visit
from penstock.features.routing.graph.targets import TARGETS
from penstock.model.token import Scope


@dataclass(frozen=True)
class State:
    """``chosen``: the index of the open element. ``base``: the id of the version that was begun from."""

    elements: editing.Elements
    chosen: int | None = None
    base: str = ""
    faults: Faults = NO_FAULTS
    typed: Form = field(default_factory=lambda: simulating.EMPTY)
    told: dict[str, Any] | None = None  # of a simulated call


async def begin(visit: Visit) -> Response:
    visit.need(Scope.READ)
    route = await view.seen(visit, visit.query.get("version", ""))
    return await _show(visit, route, State(route["elements"], _first(route["elements"]), route["version_id"]))


async def act(visit: Visit) -> Response:
    visit.need(Scope.READ)
    form = await visit.form()
    route = await view.seen(visit, form.text("base"))
    deed, _, about = form.text("do", "apply").partition(" ")
    state = _state(form, route)
    try:
        if deed not in {"restore", "raw"} and state.chosen is not None:
            state = replace(state, elements=_checked(properties.applied(state.elements, state.chosen, form)))
        if deed in {"save", "deploy"}:
            return await _save(visit, route, state, deploys=deed == "deploy")
        if deed == "try":
            state = await _tried(visit, state)
        elif deed in _DEEDS:
            state = _DEEDS[deed](state, about, form)
            _checked(state.elements)
    except Wrong as wrong:
        return await _show(visit, route, replace(_state(form, route), faults=wrong.faults))
    return await _show(visit, route, state)


def _state(form: Form, route: dict[str, Any]) -> State:
    """Raises Wrong, which only a hand-made form can be, as Invalid."""
    try:
        elements = _checked(codec.decode(form.whole("graph")))
    except (Wrong, *codec.DecodeError):
        elements = route["elements"]
    return State(elements, _index(elements, form.text("chosen")), route["version_id"], typed=form)


def _checked(elements: Any) -> editing.Elements:
    """The elements, if they can be stored. Raises Wrong."""
    return checked(VersionCreate, {"elements": elements}).sent


def _index(elements: Sequence[Any], typed: str) -> int | None:
    return int(typed) if typed.isdecimal() and len(typed) < 3 and int(typed) < len(elements) else None  # noqa: PLR2004


def _first(elements: editing.Elements) -> int | None:
    """What there is to edit first."""
    return next((index for index, each in enumerate(elements) if each.get("type") not in {"start", "end"}), None)


def _choose(state: State, about: str, _: Form) -> State:
    return replace(state, chosen=_index(state.elements, about))


def _add(state: State, _: str, form: Form) -> State:
    kind = form.text("kind")
    index, _, output = form.whole("after").partition(" ")
    place = _index(state.elements, index)
    known = (place, output) in {(at, name) for at, name, _ in editing.places(state.elements)}
    if kind not in editing.OUTPUTS:
        return state
    elements, made = editing.add(state.elements, kind, (place, output) if known and place is not None else None)
    return replace(state, elements=elements, chosen=made)


def _remove(state: State, about: str, _: Form) -> State:
    index = _index(state.elements, about)
    return state if index is None else replace(state, elements=editing.remove(state.elements, index), chosen=None)


def _connect(state: State, about: str, _: Form) -> State:
    """``about``: the indexes of two elements and the name of an output of the first."""
    source, target, output = [*about.split(" ", 2), "", ""][:3]
    left, right = _index(state.elements, source), _index(state.elements, target)
    if left is None or right is None or not output:
        return state
    elements = editing.connect(state.elements, left, output, str(state.elements[right]["id"]))
    return replace(state, elements=elements, chosen=left)


def _raw(state: State, _: str, form: Form) -> State:
    """Raises Wrong."""
    try:
        elements = codec.decode(form.whole("raw"))
    except codec.DecodeError as error:
        raise Wrong(Faults([("raw", f"elements: is no JSON: {error}")])) from None
    try:
        return replace(state, elements=_checked(elements), chosen=None)
    except Wrong as wrong:
        raise Wrong(Faults([("raw", told) for told in wrong.faults.all])) from None


def _restore(state: State, _about: str, _form: Form) -> State:
    return state


_DEEDS = {"choose": _choose, "add": _add, "remove": _remove, "connect": _connect, "raw": _raw, "restore": _restore}


async def _tried(visit: Visit, state: State) -> State:
    told, faults = await view.simulated(visit, state.typed, state.elements, {"elements": state.elements})
    return replace(state, told=told, faults=faults)


async def _save(visit: Visit, route: dict[str, Any], state: State, *, deploys: bool) -> Response:
    """As a new version, unless nothing was changed. Raises Wrong."""
    gateway, route_id = visit.path("gateway"), visit.path("route")
    wrong = fault(state.elements)
    if deploys and wrong:
        return await _show(visit, route, replace(state, faults=Faults([("elements", _REFUSED)])))
    changed = codec.encode(state.elements) != codec.encode(route["elements"])
    if not changed and not deploys:
        raise Wrong(Faults([("elements", f"Nothing has changed since version {route['number']}.")]))
    made = route
    try:
        if changed:
            body = checked(VersionCreate, {"elements": state.elements})
            made = await service.create_version(visit.context, gateway, route_id, body)
        if deploys:
            await service.deploy(visit.context, gateway, route_id, made["version_id"])
    except ControlError as error:
        return await _show(visit, route, replace(state, faults=Faults.of(error)))
    done = f"Version {made['number']} " + ("is deployed; calls take its way now." if deploys else "was saved.")
    return visit.done(f"{view.at(gateway, route_id)}?version={made['version_id']}", done)


_REFUSED = "The graph cannot be deployed as it is: see what is marked. Save it without deploying, or mend it first."


async def _show(visit: Visit, route: dict[str, Any], state: State) -> Response:
    gateway, route_id, elements = visit.path("gateway"), visit.path("route"), state.elements
    wrong = fault(elements)
    newest, _ = await service.versions(visit.context, gateway, route_id, Paging(page=1, per_page=1))
    marks = view.blamed(simulating.marks(elements, state.told) if state.told else NO_MARKS, elements, wrong)
    chosen = None if state.chosen is None else properties.panel(elements[state.chosen])
    return visit.html(
        "routes/editor.html",
        route=route,
        here=view.at(gateway, route_id),
        newest=newest[0]["number"],
        state=state,
        elements=elements,
        data=codec.encode(elements).decode(),
        saved=codec.encode(route["elements"]).decode(),
        raw=codec.indented(elements).rstrip(),
        draw=partial(drawn, elements, replace(marks, chosen=state.chosen)),
        wrong=sentence(wrong) if wrong else "",
        panel=chosen,
        places=list(editing.places(elements)) if len(elements) else [],
        kinds=[(kind, words.KINDS[kind]) for kind in editing.KINDS],
        ids=list(dict.fromkeys(str(each["id"]) for each in elements)),
        operators=conditions.OPERATORS,
        most_rows=conditions.MOST,
        most_targets=TARGETS,
        assumable=simulating.assumable(elements, state.typed),
        faults=state.faults,
    )


ROUTES = (
    get("/ui/routes/{gateway}/{route}/edit", begin, Scope.WRITE),
    post("/ui/routes/{gateway}/{route}/edit", act, Scope.WRITE),
)
