"""How Google lets the names of a body be spelt: in camelCase or in snake_case, and a list of one without brackets."""

from typing import Any, cast

from penstock.providers.dialects._shapes.members import Members


class Told(Members):
    """Members by their camelCase names. What is the client's own (arguments, schemas) is never asked through it."""

    __slots__ = ()

    def __init__(self, value: object, path: str = "") -> None:
        super().__init__(value, path)
        if any("_" in name for name in self.left):
            self.left = {_camel(name): member for name, member in self.left.items()}

    def items(self, name: str) -> list[Any] | None:
        """A list, or the only one of it."""
        if isinstance(one := self.left.get(name), dict):
            self.left[name] = [cast("dict[str, Any]", one)]
        return super().items(name)


def _camel(name: str) -> str:
    first, *rest = name.strip("_").split("_")
    return first + "".join([word[:1].upper() + word[1:] for word in rest])
