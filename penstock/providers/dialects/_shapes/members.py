"""Members of an object that a peer sent, taken out one by one; what is left is what the dialect has besides.

Null is as good as absent. A member of the wrong kind is refused by its path: ``messages[2].content``.
"""

from typing import Any, NoReturn, cast

from penstock.core.codec import DecodeError, Raw, decode, encode
from penstock.core.errors import MalformedChat
from penstock.model.chat import Extra

MANY = 200_000  # values in a body that is translated: with more, reading it would hold up other calls
_KINDS = {str: "a text", bool: "true or false", dict: "an object", list: "a list", int: "a whole number"}


class Members:
    """``path``: where the object stands, for messages; empty: it is the body."""

    __slots__ = ("left", "path")

    def __init__(self, value: object, path: str = "") -> None:
        if not isinstance(value, dict):
            raise MalformedChat(f"{path or 'the body'}: must be an object.")
        self.left = {**cast("dict[str, Any]", value)}
        self.path = path

    def any(self, name: str) -> Any:
        """The member, of whatever kind; None: absent."""
        return self.left.pop(name, None)

    def text(self, name: str, default: str = "") -> str:
        """A text."""
        value = self.left.pop(name, None)
        if value is None:
            return default
        return value if type(value) is str else self.refuse(name, str)

    def truth(self, name: str) -> bool | None:
        """True, false, or None."""
        value = self.left.pop(name, None)
        return value if value is None or type(value) is bool else self.refuse(name, bool)

    def whole(self, name: str) -> int | None:
        """A whole number, also one written as 1.0."""
        value = self.left.pop(name, None)
        if value is None or type(value) is int:
            return value
        return int(value) if type(value) is float and value.is_integer() else self.refuse(name, int)

    def number(self, name: str) -> float | None:
        """A number."""
        value = self.left.pop(name, None)
        if value is None or type(value) is float or type(value) is int:
            return value
        raise MalformedChat(f"{self.at(name)}: must be a number.")

    def items(self, name: str) -> list[Any] | None:
        """A list."""
        value = self.left.pop(name, None)
        return cast("list[Any]", value) if value is None or type(value) is list else self.refuse(name, list)

    def objects(self, name: str) -> "list[Members]":
        """The objects of a list; none where it is absent."""
        if name not in self.left:
            return []
        at = self.at(name)
        return [type(self)(one, f"{at}[{number}]") for number, one in enumerate(self.items(name) or ())]

    def object(self, name: str) -> "Members | None":
        """An object."""
        value = self.left.pop(name, None)
        return None if value is None else type(self)(value, self.at(name))

    def rest(self) -> Extra:
        """What was not taken, without nulls; None: nothing."""
        if not self.left:
            return None
        return {name: value for name, value in self.left.items() if value is not None} or None

    def at(self, name: str) -> str:
        """The path of a member."""
        return f"{self.path}.{name}" if self.path else name

    def refuse(self, name: str, kind: type) -> NoReturn:
        """Raises MalformedChat: the member is of another kind."""
        raise MalformedChat(f"{self.at(name)}: must be {_KINDS[kind]}.")


def members_of(body: bytes) -> Members:
    """Those of a whole body. Raises MalformedChat."""
    if len(body) > MANY and body.count(b",") + body.count(b"[") + body.count(b"{") > MANY:
        raise MalformedChat(f"the body: has more than {MANY} values, too many to be translated.")
    try:
        return Members(decode(body))
    except DecodeError as error:
        raise MalformedChat(f"the body: is no JSON ({error}).") from error


def written(told: dict[str, Any], extra: Extra = None) -> dict[str, Any]:
    """An object without its Nones, with what its dialect has besides."""
    kept = {name: value for name, value in told.items() if value is not None}
    return kept if extra is None else kept | extra


def object_or_none(value: object) -> dict[str, Any] | None:
    """The value, where it is an object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def list_or_none(value: object) -> list[Any] | None:
    """The value, where it is a list."""
    return cast("list[Any]", value) if isinstance(value, list) else None


def object_text(arguments: str) -> Any:
    """The arguments of a call as an object, for dialects that have no text of them; empty: ``{}``.

    What is no JSON object is put under the name ``arguments``: a model may have written anything.
    """
    if not arguments.strip():
        return {}
    try:
        value = decode(arguments.encode("utf-8", "replace"))
    except DecodeError:
        return {"arguments": arguments}
    return Raw(arguments.encode()) if isinstance(value, dict) else {"arguments": value}


def text_of(value: object) -> str:
    """An object as the text of arguments."""
    return encode({} if value is None else value).decode()
