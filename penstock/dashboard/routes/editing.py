"""What the editor does to a list of elements. Each function takes one and returns another. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from penstock.dashboard.routes import words

Element = dict[str, Any]
Elements = list[Element]

OUTPUTS: dict[str, tuple[str, ...]] = {
    "start": ("next",),
    "conditional": ("true", "false"),
    "percentage": ("50%", "else"),
    "rate": ("success", "fallback"),
    "rate_limit": ("success", "fallback"),
    "model": ("success", "fallback"),
    "end": (),
}
OPTIONAL = frozenset({"fallback"})  # a new element is made without
PROPERTIES: dict[str, Element] = {
    "conditional": {"conditions": {"metadata.plan": "paid"}},
    "percentage": {},
    "rate": {"limitType": "count", "key": "metadata.user", "limit": 100, "window": 3600},
    "model": {"provider": "openai", "model": "gpt-4o-mini", "timeout": 0, "retries": 0},
}
KINDS = ("model", "conditional", "percentage", "rate", "end", "start")  # that can be added; the rest are spellings


def add(elements: Sequence[Element], kind: str, after: tuple[int, str] | None = None) -> tuple[Elements, int]:
    """With one more element, and where it is. ``after``: an output that it comes into, so that it leads on to where
    that led; without one, or where that led nowhere, to the end.
    """
    name = _free(elements, words.KINDS.get(kind, kind).lower())
    ends = [str(each["id"]) for each in elements if each.get("type") == "end"]
    target = _target(elements, after) or next(iter(ends), "")
    outputs = {output: {"elementId": target} for output in OUTPUTS[kind] if target and output not in OPTIONAL}
    made: Element = {"id": name, "type": kind}
    if kind in PROPERTIES:
        made["properties"] = dict(PROPERTIES[kind])
    made["outputs"] = outputs
    place = len(elements) if after is None else after[0] + 1
    found = [*elements[:place], made, *elements[place:]]
    return (found if after is None else connect(found, after[0], after[1], name)), place


def remove(elements: Sequence[Element], index: int) -> Elements:
    """Without the element. What led to it leads on to where its first output leads, if it has one."""
    gone = elements[index]
    left = [*elements[:index], *elements[index + 1 :]]
    name, onward = str(gone["id"]), _onward(gone)
    if not onward or onward == name or any(str(each["id"]) == name for each in left):
        return left
    return [_led(each, name, onward) for each in left]


def connect(elements: Sequence[Element], index: int, output: str, target: str) -> Elements:
    """With that output leading to the element ``target``; without the output, where it is empty."""
    each = elements[index]
    outputs: dict[str, Any] = dict(each.get("outputs") or {})
    if target:
        outputs[output] = {**(outputs.get(output) or {}), "elementId": target}
    else:
        outputs.pop(output, None)
    return replaced(elements, index, {**each, "outputs": outputs})


def renamed(elements: Sequence[Element], index: int, name: str) -> Elements:
    """With another id for the element, and all that leads to it."""
    old = str(elements[index]["id"])
    alone = sum(str(each["id"]) == old for each in elements) == 1
    found = [_led(each, old, name) for each in elements] if alone else list(elements)
    return replaced(found, index, {**found[index], "id": name})


def replaced(elements: Sequence[Element], index: int, element: Element) -> Elements:
    return [*elements[:index], element, *elements[index + 1 :]]


def places(elements: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, str, str]]:
    """Every output that something can be put into: index of its element, its name, and where it leads; among them
    those that could be there and are not.
    """
    for index, each in enumerate(elements):
        outputs: Mapping[str, Any] = each.get("outputs") or {}
        for name in dict.fromkeys([*outputs, *missing(each)]):
            yield index, name, _leads(outputs, name)


def missing(element: Mapping[str, Any]) -> list[str]:
    """Outputs that an element of this type may have and has not; shares of a split have names of their own."""
    kind = str(element.get("type", ""))
    fixed = () if kind == "percentage" else OUTPUTS.get(kind, ())
    return [name for name in fixed if name not in (element.get("outputs") or {})]


def _led(element: Element, old: str, new: str) -> Element:
    """With outputs to ``new`` that led to ``old``."""
    outputs: dict[str, Any] = element.get("outputs") or {}
    if not any(output and output.get("elementId") == old for output in outputs.values()):
        return element
    led = {
        name: {**output, "elementId": new} if output and output.get("elementId") == old else output
        for name, output in outputs.items()
    }
    return {**element, "outputs": led}


def _onward(element: Element) -> str:
    outputs: dict[str, Any] = element.get("outputs") or {}
    return next((str(output["elementId"]) for output in outputs.values() if output), "")


def _target(elements: Sequence[Element], after: tuple[int, str] | None) -> str:
    if after is None:
        return ""
    outputs: Mapping[str, Any] = elements[after[0]].get("outputs") or {}
    return _leads(outputs, after[1])


def _leads(outputs: Mapping[str, Any], name: str) -> str:
    output: Mapping[str, Any] = outputs.get(name) or {}
    return str(output.get("elementId", ""))


def _free(elements: Sequence[Element], name: str) -> str:
    taken = {str(each["id"]) for each in elements}
    names = (name, *(f"{name}-{number}" for number in range(2, len(taken) + 3)))
    return next(each for each in names if each not in taken)
