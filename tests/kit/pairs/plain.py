"""What a chat says, whatever its dialect: plain values that two dialects are compared by.

A request is a dict: ``turns``, each a list of a role (user, assistant) and its parts, and whatever of ``system``,
``tools``, ``choice``, ``schema``, ``thinks``, ``max_tokens``, ``temperature`` and so on it has. A part is a tuple whose
first member is its kind: text, image, link (an image by its address), document, call, result, thought. An answer is a
dict as well: ``text``, ``thought``, ``refusal``, ``calls``, ``stop``, ``usage``; a text without its reason is not told.
"""

from collections.abc import Iterable
from typing import Any

Plain = dict[str, Any]
Json = dict[str, Any]


class NoPlaceError(Exception):
    """The dialect cannot say it."""


def conversation(turns: Iterable[tuple[str, list[tuple[Any, ...]]]]) -> list[list[Any]]:
    """Turns of one role become one, without empty ones. Calls are numbered, results name their calls' numbers."""
    told: list[list[Any]] = []
    numbers: dict[str, int] = {}
    for role, parts in turns:
        if parts and (not told or told[-1][0] != role):
            told.append([role])
        for part in parts:
            if part[0] == "call":
                numbers[part[1]] = len(numbers) + 1
            told[-1].append((part[0], numbers[part[1]], *part[2:]) if part[0] in ("call", "result") else part)
    return told


def known(told: Plain, *names: str) -> None:
    """Raises NoPlaceError where there is more to say than these."""
    for name in told.keys() - {"turns", "system", "tools", "choice", "schema", "thinks", "replayed", *names}:
        raise NoPlaceError(name)


def without_nothing(told: Json) -> Json:
    """Without the members that are None, empty text or empty list."""
    return {name: value for name, value in told.items() if value is not None and value not in ("", [], {})}


def data_url(kind: str, data: str) -> str:
    return f"data:{kind};base64,{data}"


def of_data_url(url: str) -> tuple[str, str]:
    """Media type, and data."""
    kind, _, data = url.removeprefix("data:").partition(";base64,")
    return kind, data


def sse(data: str, name: str = "") -> bytes:
    """A server-sent event."""
    return (f"event: {name}\n" if name else "").encode() + f"data: {data}\n\n".encode()


def events_of(stream: bytes) -> list[str]:
    """The data of each complete event."""
    blocks = stream.decode().split("\n\n")[:-1]
    lines = [[line for line in block.split("\n") if line.startswith("data: ")] for block in blocks]
    return [line.removeprefix("data: ") for block in lines for line in block]


def pieces(text: str) -> list[str]:
    """A text as a stream tells it."""
    middle = len(text) // 2
    return [one for one in (text[:middle], text[middle:]) if one]
