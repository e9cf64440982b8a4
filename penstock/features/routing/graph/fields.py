"""Fields of a call that elements name, such as ``metadata.plan``, ``headers.x-team`` and ``body.messages.0.role``."""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from operator import methodcaller
from typing import Any

from penstock.core.codec import decode, encode
from penstock.features.routing.graph.places import ABSENT, DEEP, OPAQUE, Place, Values

Find = Callable[["Facts"], object]

# What an edge before the gateway says of a call; "cf." is the language's name for it.
EDGE = {"country": b"cf-ipcountry", "user": b"cf-access-authenticated-user-email"}
SESSION = b"cf-aig-session-id"
_LONG = 128  # characters of a value that is counted under as it is
_UNNAMED = frozenset('"\\')  # would be written otherwise in JSON
_NAMESPACES = "must name a field: metadata.<key>, headers.<name>, body.<name>.<name or index>, " + ", ".join(
    f"cf.{name}" for name in EDGE
)


class Facts:
    """What a graph may ask about one call. ``headers`` by lower-case name; ``metadata``: a JSON object.

    Nothing is read before it is asked for, and nothing twice.
    """

    __slots__ = ("_body", "_headers", "_metadata", "_places")

    def __init__(self, headers: Mapping[bytes, bytes], body: bytes = b"", metadata: str | None = None) -> None:
        self._headers = headers
        self._body = body
        self._metadata: Any = metadata
        self._places: Values | None = None

    def header(self, name: bytes) -> object:
        value = self._headers.get(name)
        return ABSENT if value is None else value.decode("utf-8", "replace")

    def metadata(self, key: str) -> object:
        if isinstance(self._metadata, str):
            self._metadata = decode(self._metadata)
        return ABSENT if self._metadata is None else self._metadata.get(key, ABSENT)

    def body(self, root: Place, place: Place) -> object:
        if self._places is None:
            self._places = Values(root, self._body)
        return self._places.at(place)


class Fields:
    """The fields that one graph names."""

    __slots__ = ("_root",)

    def __init__(self) -> None:
        self._root = Place()

    def find(self, name: str) -> Find:
        """What finds the field of a call. Raises ValueError, which says what a name looks like."""
        namespace, _, rest = name.partition(".")
        if not rest:
            raise ValueError(_NAMESPACES)
        if namespace == "metadata":
            return methodcaller("metadata", rest)
        if namespace == "headers":
            return methodcaller("header", rest.lower().encode())
        if namespace == "cf" and rest in EDGE:
            return methodcaller("header", EDGE[rest])
        if namespace == "body":
            return methodcaller("body", self._root, self._place(rest))
        raise ValueError(_NAMESPACES)

    def bucket(self, name: str) -> Callable[[Facts], str]:
        """What finds the field as a short text, empty where a call has none. Raises ValueError."""
        find = self.find(name)
        return lambda facts: _short(find(facts))

    def _place(self, rest: str) -> Place:
        names = rest.split(".")
        if len(names) > DEEP or not all(names):
            raise ValueError(f"must name at most {DEEP} members of the body, one within the other, none of them empty")
        if not rest.isprintable() or _UNNAMED.intersection(rest):
            raise ValueError('must name members of the body without ", \\ and control characters')
        place = self._root
        for name in names:
            place = place.child(name)
        return place


def session(facts: Facts) -> str:
    """The session that a call says it belongs to, as a short text; empty: none."""
    return _short(facts.header(SESSION))


def _short(value: object) -> str:
    if value is ABSENT or value is OPAQUE or value is None:
        return ""
    text = value if isinstance(value, str) else encode(value).decode()
    return text if len(text) <= _LONG else blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
