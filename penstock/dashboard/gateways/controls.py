"""How values of settings are entered: each kind of control knows how a form holds its values, and reads them back.

Names of fields are paths of the API, as ``spend_limits.rules.0.limit``. What cannot be read stays as it was typed, so
that the schema's sentence about it stands at the field. None: not set.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, cast

from penstock.dashboard.forms import Form

Field = tuple[str, str]


class Control(ABC):
    """``kind``: how it is drawn (``controls.html``)."""

    kind: ClassVar[str]

    @abstractmethod
    def read(self, form: Form, name: str) -> Any: ...

    @abstractmethod
    def fields(self, value: Any, name: str) -> Iterator[Field]:
        """What a browser would send of the value."""


class Setting(NamedTuple):
    """A setting, or a member of one. ``default``: what acts where it is not set."""

    name: str
    label: str
    control: Control
    about: str = ""
    default: str = ""


class _Texts(Control):
    """Of one field."""

    def text(self, value: Any) -> str:
        return "" if value is None else str(value)

    def fields(self, value: Any, name: str) -> Iterator[Field]:
        yield name, self.text(value).replace("\r\n", "\n").replace("\r", "\n")


@dataclass(frozen=True)
class Line(_Texts):
    kind: ClassVar[str] = "line"

    def read(self, form: Form, name: str) -> str | None:
        return form.text(name) or None

    def fields(self, value: Any, name: str) -> Iterator[Field]:
        yield name, self.text(value).replace("\r", "").replace("\n", "")


class Secret(Line):
    kind: ClassVar[str] = "secret"


@dataclass(frozen=True)
class Block(_Texts):
    """Several lines."""

    kind: ClassVar[str] = "block"

    def read(self, form: Form, name: str) -> str | None:
        return form.whole(name) if form.text(name) else None


@dataclass(frozen=True)
class Number(_Texts):
    kind: ClassVar[str] = "number"

    def text(self, value: Any) -> str:
        return super().text(value).removesuffix(".0")

    def read(self, form: Form, name: str) -> float | str | None:
        return form.number(name)


@dataclass(frozen=True)
class Choice(_Texts):
    """One of several. ``needed``: there is no way not to choose."""

    options: tuple[Field, ...]
    needed: bool = False
    kind: ClassVar[str] = "choice"

    def read(self, form: Form, name: str) -> Any:
        return form.text(name) or None


@dataclass(frozen=True)
class Switch(Choice):
    options: tuple[Field, ...] = (("true", "on"), ("false", "off"))

    def text(self, value: Any) -> str:
        return super().text(value).lower() if isinstance(value, bool) else super().text(value)

    def read(self, form: Form, name: str) -> Any:
        typed = form.text(name)
        return {"true": True, "false": False, "": None}.get(typed, typed)


@dataclass(frozen=True)
class Ticks(Control):
    """Any of several."""

    options: tuple[Field, ...]
    kind: ClassVar[str] = "ticks"

    def read(self, form: Form, name: str) -> list[str]:
        return form.all(name)

    def fields(self, value: Any, name: str) -> Iterator[Field]:
        return ((name, one) for one in value or ())


@dataclass(frozen=True)
class Lines(_Texts):
    """A list, one entry a line."""

    needed: bool = False
    kind: ClassVar[str] = "lines"

    def text(self, value: Any) -> str:
        return "\n".join(value or ())

    def read(self, form: Form, name: str) -> Any:
        return form.lines(name) or ([] if self.needed else None)


class Filter(Lines):
    """A filter of a spend limit, by its values."""

    def text(self, value: Any) -> str:
        return super().text(value["values"] if value else ())

    def read(self, form: Form, name: str) -> Any:
        values = form.lines(name)
        return {"mode": "filter", "values": values} if values else None


class Metadata(Lines):
    """Partitions and filters by metadata: ``user``, or ``plan = pro`` once for each value."""

    def text(self, value: Any) -> str:
        by_key: dict[str, dict[str, Any]] = value or {}
        return "\n".join(
            f"{key} = {one}" if one is not None else key
            for key, rule in by_key.items()
            for one in (rule["values"] if rule["mode"] == "filter" else (None,))
        )

    def read(self, form: Form, name: str) -> Any:
        found: dict[str, dict[str, Any]] = {}
        for line in form.lines(name):
            key, is_filter, value = line.partition("=")
            rule = found.setdefault(key.strip(), {"mode": "filter" if is_filter else "partition"})
            if is_filter:
                rule.setdefault("values", []).append(value.strip())
        return found or None


class Headers(Lines):
    """Names and values of headers: ``name: value``."""

    def text(self, value: Any) -> str:
        by_name: dict[str, str] = value or {}
        return "\n".join(f"{key}: {one}" for key, one in by_name.items())

    def read(self, form: Form, name: str) -> dict[str, str | None]:
        parts = [line.partition(":") for line in form.lines(name)]
        return {key.strip(): value.strip() if colon else None for key, colon, value in parts}


@dataclass(frozen=True)
class Members(Control):
    """An object. Without anything in it, it is not set, or empty where it is ``needed``."""

    members: tuple[Setting, ...]
    needed: bool = False
    kind: ClassVar[str] = "members"

    def read(self, form: Form, name: str) -> dict[str, Any] | None:
        read = {one.name: one.control.read(form, f"{name}.{one.name}") for one in self.members}
        found = {key: value for key, value in read.items() if value is not None}
        return found if bare(found) or self.needed else None

    def fields(self, value: Any, name: str) -> Iterator[Field]:
        members: dict[str, Any] = value or {}
        for one in self.members:
            yield from one.control.fields(members.get(one.name), f"{name}.{one.name}")


class Guardrails(Members):
    """Two objects of the same members, side by side."""

    kind = "guardrails"


@dataclass(frozen=True)
class Rows(Control):
    """A list of objects. ``fixed``: members that every one of them has. One without anything in it is passed over."""

    row: Members
    one: str  # what one is called
    needed: bool = False
    fixed: tuple[Field, ...] = ()
    kind: ClassVar[str] = "rows"

    def read(self, form: Form, name: str) -> list[dict[str, Any]] | None:
        found = re.compile(rf"{re.escape(name)}\.([0-9]{{1,4}})\.")
        places = sorted({int(place[1]) for field in form.names() if (place := found.match(field))})
        dropped = form.text("rows")
        rows = (self.row.read(form, f"{name}.{at}") for at in places if dropped != f"drop {name}.{at}")
        return [dict(self.fixed) | row for row in rows if row] or ([] if self.needed else None)

    def fields(self, value: Any, name: str) -> Iterator[Field]:
        for at, row in enumerate(value or ()):
            yield from self.row.fields(row, f"{name}.{at}")


@dataclass(frozen=True)
class Either(Members):
    """An object of one of two shapes. ``instead``: a list that takes the place of the members ``of_other``."""

    instead: str = ""
    of_other: frozenset[str] = frozenset()

    def read(self, form: Form, name: str) -> dict[str, Any] | None:
        """Of members of both shapes only what is empty is left out: what else is too much is refused."""
        found = super().read(form, name)
        if not found:
            return None
        other = self.of_other if found[self.instead] else {self.instead}
        return {key: value for key, value in found.items() if value or key not in other}


def bare(value: Any) -> Any:
    """Without what is not set, at any depth: nulls, and objects and lists of nothing."""
    if isinstance(value, Mapping):
        members = {key: bare(one) for key, one in cast("Mapping[str, Any]", value).items()}
        return {key: one for key, one in members.items() if one is not None} or None
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [bare(one) for one in cast("Iterable[Any]", value)] or None
    return value


def fits(control: Control, value: Any) -> bool:
    """Whether the form holds all of the value: text with line breaks, say, may be no entry of a list by lines."""
    return bare(control.read(Form(control.fields(value, "it")), "it")) == bare(value)
