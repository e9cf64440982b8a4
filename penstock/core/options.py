"""What a setting is, and the kinds of value a setting can have.

A kind turns what was written (text from a flag or variable, or a TOML value) into the value the process works with,
or raises ValueError with a sentence that says what is allowed.
"""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import field
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

UNITS = {
    "": 1,
    "B": 1,
    **{f"{letter}B": 1000 ** (power + 1) for power, letter in enumerate("KMGT")},
    **{f"{letter}iB": 1024 ** (power + 1) for power, letter in enumerate("KMGT")},
}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", re.ASCII)
_SPELT = {unit.upper(): factor for unit, factor in UNITS.items()}
_TRUE, _FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}


class Kind(NamedTuple):
    """``parse`` takes text or a TOML value; ``spell`` writes a value the way the documentation shows it."""

    name: str
    parse: Callable[[object], Any]
    spell: Callable[[Any], str] = str


class Setting(NamedTuple):
    """One row of the table of settings."""

    name: str
    kind: Kind
    default: Any
    sentence: str
    secret: bool

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"PENSTOCK_{self.name.upper()}"

    @property
    def flag(self) -> str:
        return f"--{self.name.replace('_', '-')}"


def option(default: object, kind: Kind, sentence: str, *, secret: bool = False) -> Any:
    """A dataclass field that is also a row of the table of settings."""
    return field(default=default, metadata={"row": (kind, sentence, secret)})


# Kinds without parameters


def _size(value: object) -> int:
    """``10MB`` is ten million bytes, ``64KiB`` 65536; a bare number is bytes."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or match[2].upper() not in _SPELT:
        raise ValueError("must be a size such as 500000, 10MB or 64KiB")
    return int(Decimal(match[1]) * _SPELT[match[2].upper()])


def _spell_size(value: int) -> str:
    """The shortest exact spelling."""
    fits = [(value // factor, unit) for unit, factor in UNITS.items() if value and value % factor == 0]
    number, unit = min(fits, default=(value, ""))
    return f"{number}{unit}"


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in _TRUE | _FALSE:
        raise ValueError("must be true or false")
    return word in _TRUE


def _spell_switch(value: bool) -> str:  # noqa: FBT001  its value is all it is about
    return str(value).lower()


def _spell_seconds(value: float) -> str:
    return f"{value:g}"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004  one error for every bad value, whatever is wrong with it
    return value.strip()


def _path(value: object) -> Path:
    text = _text(value)
    if not text:
        raise ValueError("must be a path")
    return Path(text).expanduser()


def words(value: object) -> tuple[str, ...]:
    """A list, or text with commas between."""
    given: Any = value.split(",") if isinstance(value, str) else value
    if not isinstance(given, list | tuple):
        raise ValueError("must be a list, or text with commas between")  # noqa: TRY004  as in _text
    found = [str(word).strip() for word in cast("list[object]", given)]
    return tuple(word for word in found if word)


def _networks(value: object) -> tuple[Network, ...]:
    found: list[Network] = []
    for word in words(value):
        try:
            found.append(ipaddress.ip_network(word))
        except ValueError:
            raise ValueError(
                f"must be networks such as 10.0.0.0/8 or fd00::/8, or addresses; {word!r} is none"
            ) from None
    return tuple(found)


def _spell_list(value: tuple[object, ...]) -> str:
    return ",".join(map(str, value))


SIZE = Kind("size", _size, _spell_size)
NETWORKS = Kind("networks", _networks, _spell_list)
WORDS = Kind("list", words, _spell_list)
SWITCH = Kind("true or false", _switch, _spell_switch)
TEXT = Kind("text", _text)
PATH = Kind("path", _path)


# Kinds with limits


def number(least: int, most: int | None = None) -> Kind:
    """A whole number, both ends included."""
    allowed = f"{least} or more" if most is None else f"{least} to {most}"

    def parse(value: object) -> int:
        text = str(value).strip()
        if isinstance(value, bool | float) or not re.fullmatch(r"-?\d{1,15}", text, re.ASCII):
            raise ValueError(f"must be a whole number, {allowed}")
        result = int(text)
        if result < least or (most is not None and result > most):
            raise ValueError(f"must be {allowed}")
        return result

    return Kind(f"number, {allowed}", parse)


def decimal(least: float, most: float) -> Kind:
    """A number, both ends included."""

    def parse(value: object) -> float:
        try:
            result = float("nan") if isinstance(value, bool) else float(str(value))
        except ValueError:
            result = float("nan")
        if not least <= result <= most:
            raise ValueError(f"must be a number, {least:g} to {most:g}")
        return result

    return Kind(f"number, {least:g} to {most:g}", parse)


def seconds(*, zero: bool = False) -> Kind:
    """Seconds, fractions included; above nothing unless ``zero`` is allowed."""
    allowed = "0 or more" if zero else "more than 0"

    def parse(value: object) -> float:
        try:
            result = float("nan") if isinstance(value, bool) else float(str(value))
        except ValueError:
            result = float("nan")
        if not (result > 0 or (zero and result == 0)) or result == float("inf"):
            raise ValueError(f"must be a number of seconds, {allowed}")
        return result

    return Kind("seconds", parse, _spell_seconds)


def pattern(regex: str, allowed: str, kind: str = "text") -> Kind:
    """Text of one form; empty means: not set."""

    def parse(value: object) -> str:
        text = _text(value)
        if text and not re.fullmatch(regex, text):
            raise ValueError(f"must be {allowed}")
        return text

    return Kind(kind, parse)


def number_text(regex: str, allowed: str) -> Kind:
    """A number of one form, kept as it is written, so that it stays exact."""

    def parse(value: object) -> str:
        text = str(value).strip()
        if isinstance(value, bool) or not re.fullmatch(regex, text, re.ASCII):
            raise ValueError(f"must be {allowed}")
        return text

    return Kind("number", parse)


def server(regex: str, allowed: str) -> Kind:
    """The URL of a server of that form, which may hold a password; empty means: not set."""
    form = pattern(regex, allowed).parse

    def parse(value: object) -> str:
        text: str = form(value)
        try:
            parts = urlsplit(text)
            cut = "@" in parts.path + parts.query + parts.fragment
            if (cut and not text.startswith(_FILES)) or parts.port == 0:
                raise ValueError(_CUT)
        except ValueError:
            if "," not in text:  # several hosts, each with a port of its own
                raise ValueError(_CUT) from None
        return text

    return Kind("text", parse)


_FILES = ("sqlite:", "unix:")
_CUT = "must be readable: write / as %2F, # as %23, ? as %3F and @ as %40 in a password"


def url(value: object) -> str:
    """An http(s) address without credentials, query and fragment; returned without a trailing slash."""
    text = _text(value)
    if re.search(r"[@?#\s]", text):
        raise ValueError("must be an address without user name, query, fragment and spaces")
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        good = False
    if not good:
        raise ValueError("must be an address such as https://gateway.example.com")
    return text.rstrip("/")


def origins(value: object) -> tuple[str, ...]:
    """Origins as browsers send them, or ``*`` alone for all."""
    found = words(value)
    for word in found:
        parts = urlsplit(word)
        if word != "*" and (word != f"{parts.scheme}://{parts.netloc}" or not parts.netloc or "@" in word):
            raise ValueError(f"must be origins such as https://app.example.com, or *; {word!r} is none")
    return tuple(word.lower() for word in found)


def optional_url(value: object) -> str:
    """An address as :func:`url` has it, or empty: not set."""
    return url(value) if value != "" else ""


URL = Kind("address", optional_url)
ORIGINS = Kind("origins", origins, _spell_list)
