"""Reads the elements of a route, in either of their spellings, into a graph that can run (docs/routes.md)."""

import re
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from penstock.core.codec import encode
from penstock.features.routing.graph.conditions import compile_condition
from penstock.features.routing.graph.fields import Facts, Fields, session
from penstock.features.routing.graph.given import Given
from penstock.features.routing.graph.targets import read_health, read_targets
from penstock.model.graph import (
    WHOLE,
    Conditional,
    Element,
    End,
    Graph,
    GraphFault,
    Limit,
    Model,
    Path,
    Percentage,
    Share,
    Start,
)

ELEMENTS = 50
SHARES = 5  # outputs of a percentage element
LONGEST = 366 * 24 * 3600  # seconds of a limit's interval
MOST = 1_000_000_000  # calls, or dollars, of a limit
TIMEOUT = 24 * 3600 * 1000  # milliseconds
RETRIES = 5
_SHOWN = 120  # characters of a condition in a row
_SHARE = re.compile(r"\s*(\d{1,3})(?:\.(\d{1,6}))?\s*%", re.ASCII)


def read(elements: list[dict[str, Any]]) -> Graph:
    """Raises GraphFault, whose path begins with ``elements``. Members that are not known are ignored."""
    top = Given(elements, ("elements",))
    if not 0 < len(elements) <= ELEMENTS:
        raise top.fault(f"must be a list of 1 to {ELEMENTS} elements")
    try:
        encode(elements)
    except UnicodeEncodeError:
        raise top.fault("must be texts of Unicode, without lone surrogates") from None
    fields = Fields()
    found: dict[str, Element] = {}
    links: dict[str, list[tuple[Path, str]]] = {}
    for index, each in enumerate(elements):
        given = Given(each, (*top.path, index))
        name = given.take("id").text()
        if name in found:
            raise given.take("id").fault(f"is the id of an earlier element too: {name!r}")
        reader = _Reader(given, name, fields)
        found[name], links[name] = reader.element(), reader.links
    starts = [name for name, each in found.items() if isinstance(each, Start)]
    if len(starts) != 1:
        raise top.fault(f"must have exactly one element of type start, and have {len(starts)}")
    _check(links)
    return Graph(starts[0], found)


class _Reader:
    """Reads one element. ``links``: where its outputs lead, each with the path of the member that says so."""

    def __init__(self, given: Given, name: str, fields: Fields) -> None:
        self._given = given
        self._name = name
        self._fields = fields
        self.links: list[tuple[Path, str]] = []

    def element(self) -> Element:
        kind = self._given.take("type").word(tuple(_KINDS))
        element = _KINDS[kind](self)
        outputs = self._given.find("outputs")
        taken = {path[-2] for path, _ in self.links}
        for name, value in outputs.members().items() if outputs else ():
            if name not in taken and value is not None:
                raise Given(value, (*self._given.path, "outputs", name)).fault(
                    f"is no output of an element of type {kind}"
                )
        return element

    def start(self) -> Element:
        return Start(self._name, self._output("next"))

    def conditional(self) -> Element:
        condition = self._properties().take("conditions", "condition")
        test = compile_condition(condition, self._fields)
        text = encode(condition.value).decode()
        text = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
        return Conditional(self._name, test, text, self._output("true"), self._output("false"))

    def percentage(self) -> Element:
        outputs = self._given.take("outputs")
        names = list(outputs.members())
        if not 0 < len(names) <= SHARES:
            raise outputs.fault(f"must be 1 to {SHARES}")
        sizes = [_size(Given(name, (*outputs.path, name))) for name in names]
        told = sum(size for size in sizes if size is not None)
        rest = WHOLE - told
        if rest < 0 or (rest and None not in sizes):
            raise outputs.fault(f"must be 100 % together, or less with an output else; they are {told / 1e6:.9g} %")
        shares: list[Share] = []
        for name, size in zip(names, sizes, strict=True):
            target = self._output(name)
            twin = sum(share.element == target for share in shares)
            salt = blake2b(encode([self._name, target, twin]), digest_size=8).digest()
            shares.append(Share(name, target, rest if size is None else size, int.from_bytes(salt, "big")))
        return Percentage(self._name, tuple(shares), *self._sticky())

    def limit(self, technique: str) -> Element:
        given = self._properties()
        kind = given.take("limitType").word(("count", "cost"))
        key = given.take("key")
        limit = given.take("limit")
        return Limit(
            self._name,
            kind,
            key.text(),
            self._bucket(key),
            limit.whole(1, MOST) if kind == "count" else limit.positive(MOST),
            given.take("window", "interval").whole(1, LONGEST),
            said.word(("fixed", "sliding")) if (said := given.find("technique")) else technique,
            self._output("success"),
            self._fallback(),
        )

    def model(self) -> Element:
        given = self._properties()
        timeout = said.whole(0, TIMEOUT) if (said := given.find("timeout")) else 0
        targets, strategy = read_targets(given)
        return Model(
            self._name,
            targets,
            timeout / 1000 if timeout else None,
            said.whole(0, RETRIES) if (said := given.find("retries")) else 0,
            self._output("success"),
            self._fallback(),
            strategy,
            read_health(said) if (said := given.find("health")) else None,
        )

    def end(self) -> Element:
        return End(self._name)

    def _properties(self) -> Given:
        return self._given.take("properties")

    def _fallback(self) -> str | None:
        return None if self._given.take("outputs").find("fallback") is None else self._output("fallback")

    def _output(self, name: str) -> str:
        target = self._given.take("outputs").take(name).take("elementId")
        self.links.append((target.path, target.text()))
        return target.text()

    def _sticky(self) -> tuple[Callable[[Facts], str] | None, str]:
        properties = self._given.find("properties")
        given = properties.find("stickyBy") if properties else None
        if given is None:
            return None, ""
        name = given.text()
        if name == "session":
            return session, name
        if not name.startswith("metadata."):
            raise given.fault("must be session or metadata.<key>")
        return self._bucket(given), name

    def _bucket(self, key: Given) -> Callable[[Facts], str]:
        try:
            return self._fields.bucket(key.text())
        except ValueError as error:
            raise key.fault(str(error)) from None


_KINDS: dict[str, Callable[[_Reader], Element]] = {
    "start": _Reader.start,
    "conditional": _Reader.conditional,
    "percentage": _Reader.percentage,
    "rate": lambda reader: reader.limit("fixed"),
    "rate_limit": lambda reader: reader.limit("sliding"),
    "model": _Reader.model,
    "end": _Reader.end,
}


def _size(name: Given) -> int | None:
    """Of the share that an output is named for; None: what the others leave."""
    if name.value == "else":
        return None
    match = _SHARE.match(name.value)
    size = int(match[1]) * (WHOLE // 100) + int((match[2] or "").ljust(6, "0")) if match else WHOLE + 1
    if size > WHOLE:
        raise name.fault('must be named for its share, such as "10%" or "33.3%", or "else"')
    return size


def _check(links: dict[str, list[tuple[Path, str]]]) -> None:
    """Every output leads to an element, and none back to where the call has been: so every path comes to an end."""
    for leads in links.values():
        for path, target in leads:
            if target not in links:
                raise GraphFault(path, f"is no element of this route: {target!r}")
    done: set[str] = set()
    for name in links:
        _descend(name, links, set(), done)


def _descend(name: str, links: dict[str, list[tuple[Path, str]]], above: set[str], done: set[str]) -> None:
    """At most as deep as there are elements."""
    if name in done:
        return
    above.add(name)
    for path, target in links[name]:
        if target in above:
            raise GraphFault(path, f"leads back to {target!r}, which comes before it: a route must come to an end")
        _descend(target, links, above, done)
    above.discard(name)
    done.add(name)
