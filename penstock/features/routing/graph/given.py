"""A value of the elements as they were sent, with its path, so that a fault can be named."""

from typing import Any, NamedTuple, cast

from penstock.model.graph import GraphFault, Path

_TEXT = 256  # characters of a name


class Given(NamedTuple):
    value: Any
    path: Path

    def fault(self, message: str) -> GraphFault:
        return GraphFault(self.path, message)

    def is_object(self) -> bool:
        return isinstance(self.value, dict)

    def is_list(self) -> bool:
        return isinstance(self.value, list)

    def members(self) -> dict[str, Any]:
        """Raises GraphFault where it is no object."""
        if not self.is_object():
            raise self.fault("must be an object")
        return cast("dict[str, Any]", self.value)

    def only(self, *names: str) -> None:
        """Raises GraphFault for a member of any other name."""
        for name in self.members():
            if name not in names:
                raise Given(None, (*self.path, name)).fault(f"is not known; there is {', '.join(names)}")

    def each(self, most: int) -> "list[Given]":
        """The items of a list. Raises GraphFault where it is none, or has none, or more."""
        items: list[Any] = self.value if self.is_list() else []
        if not 0 < len(items) <= most:
            raise self.fault(f"must be a list of 1 to {most}")
        return [Given(item, (*self.path, index)) for index, item in enumerate(items)]

    def find(self, *names: str) -> "Given | None":
        """The member of one of these names, which mean the same. Raises GraphFault for two that differ."""
        members = self.members()
        there = [name for name in names if members.get(name) is not None]
        if not there:
            return None
        if any(members[name] != members[there[0]] for name in there):
            raise Given(None, (*self.path, there[1])).fault(f"differs from {there[0]}, which means the same")
        return Given(members[there[0]], (*self.path, there[0]))

    def take(self, *names: str) -> "Given":
        """The same. Raises GraphFault where there is none."""
        found = self.find(*names)
        if found is None:
            raise Given(None, (*self.path, names[0])).fault("is missing")
        return found

    def text(self) -> str:
        if not isinstance(self.value, str) or not 0 < len(self.value) <= _TEXT:
            raise self.fault(f"must be a text of 1 to {_TEXT} characters")
        return self.value

    def word(self, words: tuple[str, ...]) -> str:
        if self.value not in words:
            raise self.fault(f"must be one of: {', '.join(words)}")
        return self.value

    def whole(self, least: int, most: int) -> int:
        """A whole number; clients that know only floating point may write it so."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise self.fault(f"must be a whole number from {least} to {most}")
        if value != int(value):
            raise self.fault(f"must be a whole number from {least} to {most}")
        return int(value)

    def positive(self, most: float) -> float:
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
            raise self.fault(f"must be a number above 0, at most {most}")
        return float(value)
