"""Forms: what fields came, and what is wrong with them, told at the fields in the sentences of the API."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError

from penstock.control.problems import problems
from penstock.core.errors import ControlError, Invalid

MOST_FIELDS = 2_000

_M = TypeVar("_M", bound=BaseModel)


class Form:
    """The fields of a form as they were sent: texts, several of a name where there are several."""

    def __init__(self, fields: Iterable[tuple[str, str]]) -> None:
        self._fields: dict[str, list[str]] = {}
        for name, value in fields:
            self._fields.setdefault(name, []).append(value)

    @classmethod
    def read(cls, body: bytes) -> "Form":
        """Raises Invalid for what is no form."""
        try:
            fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
        except ValueError:
            raise Invalid("body: is no form, or one of too many fields", path=("body",)) from None
        # Browsers send lines of a text with CR and LF, whatever was typed.
        return cls((name, value.replace("\r\n", "\n")) for name, value in fields)

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def names(self) -> list[str]:
        return list(self._fields)

    def text(self, name: str, default: str = "") -> str:
        """The last one of that name, without space around it."""
        return self._fields.get(name, [default])[-1].strip()

    def whole(self, name: str) -> str:
        """The same as it was typed: for prompts, templates, JSON."""
        return self._fields.get(name, [""])[-1]

    def all(self, name: str) -> list[str]:
        """Every one of that name that is not empty: of check boxes, or of a list."""
        return [value.strip() for value in self._fields.get(name, ()) if value.strip()]

    def number(self, name: str) -> float | str | None:
        """None where nothing was typed; what is no number as it was typed, for the resource to refuse."""
        typed = self.text(name)
        try:
            return int(typed) if typed.isdecimal() else float(typed)
        except ValueError:  # of thousands of digits, too
            return typed or None

    def lines(self, name: str) -> list[str]:
        """The lines of a text that are not empty: a list, one entry a line."""
        return [line.strip() for line in self.whole(name).splitlines() if line.strip()]


class Faults:
    """What is wrong with a form: sentences by the path of their field, as ``spend_limits.rules.0.limit``."""

    def __init__(self, told: Sequence[tuple[str, str]] = ()) -> None:
        self.told = told

    def __bool__(self) -> bool:
        return bool(self.told)

    def at(self, *names: str) -> list[str]:
        """Of a field, or of what is in it."""
        return [
            sentence
            for path, sentence in self.told
            if any(path == name or path.startswith(f"{name}.") for name in names)
        ]

    def exactly(self, name: str) -> list[str]:
        """Of the field itself, not of what is in it."""
        return [sentence for path, sentence in self.told if path == name]

    def elsewhere(self, *names: str) -> list[str]:
        """Of none of these fields: they stand above the form."""
        there = self.at(*names)
        return [sentence for _, sentence in self.told if sentence not in there]

    @property
    def all(self) -> list[str]:
        return [sentence for _, sentence in self.told]

    @classmethod
    def of(cls, error: ControlError) -> "Faults":
        """What a service refused; what is about no field is raised again."""
        if not error.path:
            raise error
        path = [str(part) for part in error.path]
        return cls([(".".join(path[1:] if path[:1] in (["body"], ["query"]) else path), error.message)])


NO_FAULTS = Faults()


class Wrong(Exception):
    """A form that cannot be taken."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(faults.all)
        self.faults = faults


def checked(kind: type[_M], body: Mapping[str, Any]) -> _M:
    """The body that the API would have been sent. Raises Wrong."""
    try:
        return kind.model_validate(dict(body))
    except ValidationError as error:
        found = [{**problem, "loc": ("body", *problem["loc"])} for problem in error.errors()]
        told = [(".".join(map(str, problem["path"][1:])), problem["message"]) for problem in problems(found)]
        raise Wrong(Faults(told)) from None
