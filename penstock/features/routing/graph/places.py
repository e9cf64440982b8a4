"""Values in a JSON body that fields name, found without decoding anything else of it."""

from collections.abc import Callable, Iterator

import msgspec

from penstock.core.codec import DecodeError, Raw, Struct, decode, decoder

DEEP = 8  # names of a field in a body, one within the other
_LARGEST = 65536  # bytes of an array that is looked at
_LONG_INDEX = 3  # digits; an item is named only among the first hundred
_ABSENT = Raw(b"")
_DIGITS = frozenset("0123456789")

ABSENT = msgspec.UNSET
OPAQUE = object()  # there, and equal to nothing: an object, or a large array


class Place:
    """A place in a body. ``children``: places within it, by the name of a member or the index of an item."""

    __slots__ = ("_readers", "children", "parent")

    def __init__(self, parent: "Place | None" = None) -> None:
        self.parent = parent
        self.children: dict[str, Place] = {}
        self._readers: list[_Reader] = []

    def child(self, name: str) -> "Place":
        if name not in self.children:
            self.children[name] = Place(self)
            self._readers = []
        return self.children[name]

    def open(self, text: bytes | Raw, found: "dict[Place, bytes | Raw]") -> None:
        """Adds the text of each child that is there. Reads ``text`` once."""
        self._readers = self._readers or [*self._make()]
        for read, places in self._readers:
            try:
                shape = read(text)
            except DecodeError:
                continue
            for place, raw in zip(places, msgspec.structs.astuple(shape), strict=True):
                if place is not None and raw is not _ABSENT:
                    found[place] = raw
            return

    def _make(self) -> Iterator["_Reader"]:
        """Shapes that name the children and nothing else: the decoder skips the rest, however much it is."""
        indices = [int(name) for name in self.children if _DIGITS.issuperset(name) and len(name) < _LONG_INDEX]
        if indices:
            wanted = [(f"i{index}", Raw, _ABSENT) for index in range(max(indices) + 1)]
            shape = msgspec.defstruct("Items", wanted, array_like=True)
            yield decoder(shape).decode, [self.children.get(str(index)) for index in range(max(indices) + 1)]
        names = {f"m{index}": name for index, name in enumerate(self.children)}
        shape = msgspec.defstruct("Members", [(name, Raw, _ABSENT) for name in names], rename=names)
        yield decoder(shape).decode, [*self.children.values()]


_Reader = tuple[Callable[[bytes | Raw], Struct], list[Place | None]]  # of one shape, and the places it names


class Values:
    """What a body has at its places. Each place is read once."""

    __slots__ = ("_found", "_opened", "_values")

    def __init__(self, root: Place, body: bytes) -> None:
        self._found: dict[Place, bytes | Raw] = {root: body}
        self._opened: set[Place] = set()
        self._values: dict[Place, object] = {}

    def at(self, place: Place) -> object:
        """A scalar or a list of JSON, ABSENT or OPAQUE."""
        value = self._values.get(place, self)
        if value is self:
            value = self._values[place] = _value(self._text(place))
        return value

    def _text(self, place: Place) -> bytes | Raw | None:
        parent = place.parent
        if parent is not None and parent not in self._opened:
            self._opened.add(parent)
            text = self._text(parent)
            if text is not None:
                parent.open(text, self._found)
        return self._found.get(place)


def _value(text: bytes | Raw | None) -> object:
    if text is None:
        return ABSENT
    view = memoryview(text)
    if view[0] == ord("{") or (view[0] == ord("[") and len(view) > _LARGEST):
        return OPAQUE
    try:
        return decode(text)
    except DecodeError:
        return OPAQUE
