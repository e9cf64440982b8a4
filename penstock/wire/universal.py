"""The body of a call to the universal endpoint: a list of steps, or one step (specification of the data plane, 1.5).

Reading is bounded: at most ``STEPS`` steps with ``HEADERS`` headers each, heads of at most ``HEAD`` bytes, and no more
members in all than ``wire.long_texts`` allows. The body of a step is left as it came.
"""

import asyncio
import re
from itertools import takewhile
from typing import Any, cast

import msgspec

from penstock.core.codec import DecodeError, Raw, Struct, decode, decoder
from penstock.core.errors import BodyTooLarge, MalformedSteps
from penstock.core.headers import Headers
from penstock.wire import long_texts, surrogates

STEPS = 32
HEAD = 64 * 1024  # bytes of a step's ``headers`` or ``config``
HEADERS = 100  # of a step
_LIGHT = 4096  # bytes of a step that is read at once with the next
_NOTHING = Raw(b"")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_TARGET = re.compile(r"[\x21-\x7e]*")  # what a request line may hold
_OURS = "cf-aig-"
_OLDER = {"cf-cache-ttl": "cf-aig-cache-ttl", "cf-skip-cache": "cf-aig-skip-cache"}
_CONFIG = {
    "requestTimeout": b"cf-aig-request-timeout",
    "maxAttempts": b"cf-aig-max-attempts",
    "retryDelay": b"cf-aig-retry-delay",
    "backoff": b"cf-aig-backoff",
}


class UniversalStep(msgspec.Struct, frozen=True):
    """One step. ``path`` has no leading slash, ``query`` its question mark.

    ``options`` are the step's own ``cf-aig-*`` headers by lower-case name, older ones by their newer name, with what
    ``config`` says in their place.
    """

    provider: str
    path: bytes
    query: bytes
    headers: Headers
    options: dict[bytes, bytes]
    raw: bytes  # ``body`` as ``back`` takes it
    back: surrogates.Back | None = None

    @property
    def body(self) -> bytes:
        """JSON as it came, or empty. Made anew each time: it may be large."""
        return self.raw if self.back is None else self.back(self.raw)


class _Step(Struct):
    provider: Raw = _NOTHING
    endpoint: Raw = _NOTHING
    headers: Raw = _NOTHING
    authorization: Raw = _NOTHING  # of older clients, beside ``headers``
    query: Raw = _NOTHING
    config: Raw = _NOTHING


# An array of bounded length: reading ends at the first element too many, however many follow.
_Steps = msgspec.defstruct(
    "_Steps",
    [(f"s{number}", Raw, _NOTHING) for number in range(STEPS)],
    array_like=True,
    forbid_unknown_fields=True,
)
_decode_steps = decoder(_Steps).decode
_decode_step = decoder(_Step).decode
_decode_text = decoder(str).decode
_NULL = b"null"


async def read_steps(body: bytes) -> list[UniversalStep]:
    """The steps in their order; one for a body that is an object. Lets others run meanwhile.

    Raises MalformedSteps, naming the member at fault, and BodyTooLarge for too many members.
    """
    back: surrogates.Back | None = None
    if len(body) > long_texts.DIRECT:
        if (found := await long_texts.without(body)) is None:
            raise BodyTooLarge(_MEMBERS)
        body, back = found
    try:
        return await _steps(body, back)
    except MalformedSteps:
        if (other := surrogates.without(body)) is None:
            raise
    body, halves = other
    return await _steps(body, halves if back is None else _both(halves, back))


_MEMBERS = (
    f"The body has too many members: beside its long texts it may have {long_texts.MOST} bytes and"
    f" {long_texts.MEMBERS} members."
)


def _both(first: surrogates.Back, second: surrogates.Back) -> surrogates.Back:
    return lambda part: second(first(part))


async def _steps(body: bytes, back: surrogates.Back | None) -> list[UniversalStep]:
    """``back``: what turns a part of the body into what had come."""
    lead = body[:_LEAD].lstrip()
    if lead.startswith(b"{"):
        return [_read(Raw(body), "", back)]
    if not lead.startswith(b"["):
        raise MalformedSteps(
            "The body must be a JSON array of steps, or one step {provider, endpoint, headers, query}."
        )
    try:
        found = _decode_steps(body)
    except DecodeError as error:
        raise MalformedSteps(f"The body is no array of at most {STEPS} steps: {error}.") from None
    steps = [*takewhile(len, msgspec.structs.astuple(found))]
    if not steps:
        raise MalformedSteps("The array of steps is empty.")
    read: list[UniversalStep] = []
    for number, raw in enumerate(steps):
        if back is not None or len(raw) > _LIGHT:
            await asyncio.sleep(0)
        read.append(_read(raw, f"[{number}].", back))
    return read


_LEAD = 1024  # bytes in which a body begins, white space included


def _read(found: Raw, where: str, back: surrogates.Back | None) -> UniversalStep:
    try:
        said = _decode_step(found)
    except DecodeError as error:
        raise MalformedSteps(f"{where.rstrip('.') or 'The body'}: is no step: {error}.") from None
    query = bytes(said.query)
    if back is not None:
        said.query = _NOTHING
        said = _Step(*[Raw(back(bytes(member))) for member in msgspec.structs.astuple(said)])
    provider = _text(said.provider, f"{where}provider", most=_NAME)
    endpoint = _text(said.endpoint, f"{where}endpoint", most=HEAD).lstrip("/")
    if not _TARGET.fullmatch(endpoint) or "#" in endpoint:
        raise MalformedSteps(f"{where}endpoint: must be a path and a query, percent-encoded.")
    headers, options = _headers(said, where)
    options |= _config(said.config, f"{where}config")
    path, mark, rest = endpoint.encode().partition(b"?")
    raw = b"" if query == _NULL else query
    return UniversalStep(provider, path, mark + rest, headers, options, raw, back)


_NAME = 256  # bytes of a provider's name


def _text(raw: Raw, where: str, most: int) -> str:
    size = len(raw)
    if not size:
        raise MalformedSteps(f"{where}: is missing.")
    if size <= most:
        try:
            return _decode_text(raw)
        except msgspec.ValidationError:
            pass
        except DecodeError:
            raise MalformedSteps(f"{where}: is no text in UTF-8.") from None
    raise MalformedSteps(f"{where}: must be a text of at most {most} bytes.")


def _headers(said: _Step, where: str) -> tuple[Headers, dict[bytes, bytes]]:
    """Those that travel, in order, and the step's own options. Numbers and truth values are taken as their text."""
    given = _object(said.headers, f"{where}headers")
    if _is_told(said.authorization) and not any(name.lower() == "authorization" for name in given):
        given = {"authorization": _text(said.authorization, f"{where}authorization", most=HEAD), **given}
    if len(given) > HEADERS:
        raise MalformedSteps(f"{where}headers: must be at most {HEADERS} headers.")
    headers: dict[bytes, tuple[bytes, bytes, bytes]] = {}  # of two spellings of a name, the last one counts
    options: dict[bytes, bytes] = {}
    older: dict[bytes, bytes] = {}
    for name, value in given.items():
        if value is None:
            continue
        lower, spelt, own = _NAMES[name]
        if lower and type(value) is str and value.isascii() and value.isprintable():
            text = value.strip(" ")
        else:
            text = _header(name, value, f"{where}headers")
        if not own:
            headers[lower] = lower, spelt, _encoded(text)
        elif own == lower:
            options[own] = text.encode()
        else:
            older[own] = text.encode()
    return [*headers.values()], older | options


class _Names(dict[str, tuple[bytes, bytes, bytes]]):
    """Header names in lower case, as spelt, and as an option of ours (empty: none); judged once a name.

    The lower case is empty for what is no header name.
    """

    def __missing__(self, name: str) -> tuple[bytes, bytes, bytes]:
        if not _TOKEN.fullmatch(name):
            return b"", b"", b""
        lower = name.lower()
        own = lower if lower.startswith(_OURS) else _OLDER.get(lower, "")
        judged = lower.encode(), name.encode(), own.encode()
        if len(name) <= _SHOWN and len(self) < _KNOWN:
            self[name] = judged
        return judged


_KNOWN = 1024  # short names that are remembered; others are judged anew every time
_NAMES = _Names()


def _header(name: str, value: Any, where: str) -> str:
    """A header's value. Raises MalformedSteps for what no header can be."""
    if not _TOKEN.fullmatch(name):
        raise MalformedSteps(f"{where}: {name[:_SHOWN]!r} is no header name.")
    text = _plain(value)
    if text is None or not _VALUE.fullmatch(text):
        raise MalformedSteps(f"{where}.{name[:_SHOWN]}: must be a text that a header can hold.")
    return text.strip(" \t")


def _encoded(text: str) -> bytes:
    """As JavaScript sends it where it can, in Latin-1; else in UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def _is_told(raw: Raw) -> bool:
    return len(raw) > 0 and bytes(raw) != _NULL


def _config(raw: Raw, where: str) -> dict[bytes, bytes]:
    given = _object(raw, where)
    told: dict[bytes, bytes] = {}
    for member, header in _CONFIG.items():
        if (value := given.get(member)) is not None:
            text = _plain(value)
            if text is None or not _VALUE.fullmatch(text):
                raise MalformedSteps(f"{where}.{member}: must be a number or a text.")
            told[header] = text.encode()
    return told


def _object(raw: Raw, where: str) -> dict[str, Any]:
    if not _is_told(raw):
        return {}
    data = bytes(raw)
    if len(data) > HEAD or not data.startswith(b"{"):
        raise MalformedSteps(f"{where}: must be an object of at most {HEAD} bytes.")
    try:
        return cast("dict[str, Any]", decode(surrogates.replaced(data) if b"\\u" in data else data))
    except DecodeError as error:
        raise MalformedSteps(f"{where}: {error}.") from None


def _plain(value: Any) -> str | None:
    """None: it is no text, number or truth value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, str | int | float) else None


_SHOWN = 64  # characters of a name that cannot be understood
