"""A record without the values that its gateway's owner does not want stored (docs/logging.md)."""

from collections.abc import Iterable, Iterator
from itertools import takewhile
from operator import eq
from typing import Any, cast

from penstock.core.codec import DecodeError, decode, encode
from penstock.model.record import LogRecord
from penstock.providers.redact.bodies import body
from penstock.providers.redact.paths import Tree, rules
from penstock.providers.redact.values import REDACTED, Damaged, replaced, texts

NOT_KEPT = "{} not kept: it is no JSON in which log_redact could replace values"
LEAST = 4  # characters of a value that is looked for in sentences, which may quote it,
_SHOWN = 32  # and of its beginning, which is all that some of them quote
_NOTHING = Tree()


def redact(record: LogRecord) -> None:
    """Replaces the values in place. The record asks for nothing then."""
    told, taken, lost = rules(record.redact), list[Any](), list[str]()

    def kept(name: str, data: bytes | None, whole: Tree, stream: Tree = _NOTHING, kind: str | None = None) -> Any:
        try:
            return body(data, kind, whole, stream, taken) if data is not None and whole else data
        except Damaged:
            lost.append(NOT_KEPT.format(name))
            return None

    if record.metadata is not None:
        entries = kept("metadata", record.metadata.encode(), told.metadata)
        record.metadata = None if entries is None else entries.decode()
    record.request = kept("request", record.request, told.request)
    record.response = kept("response", record.response, told.response, told.stream, record.response_content_type)
    if taken or lost:
        record.detail = _detail(record.detail, texts(taken), lost)
    record.redact = ()


def without(metadata: str, paths: tuple[str, ...]) -> str:
    """Metadata, a JSON object, without its values."""
    return replaced(metadata.encode(), rules(paths).metadata, []).decode()


def _detail(data: bytes, values: Iterable[str], lost: list[str]) -> bytes:
    """The detail without quotations of the values, and with warnings of what was lost."""
    try:
        detail: dict[str, Any] = decode(data)
    except DecodeError as error:
        raise ValueError("no detail") from error
    told = "\n".join(_strings(detail))
    quoted: dict[str, list[str]] = {}
    for value in values:
        for form in _forms(value[: len(told)]) if len(value) >= LEAST else ():
            if (begin := form[:_SHOWN]) in told:
                quoted.setdefault(begin, []).append(form)
    if quoted:
        detail = _mapped(detail, sorted(quoted.items(), key=_length, reverse=True))
    if lost:
        detail["warnings"] = [*detail.get("warnings", ()), *lost]
    return encode(detail)


def _length(quotation: tuple[str, list[str]]) -> int:
    return len(quotation[0])


def _forms(value: str) -> set[str]:
    """A value as a sentence may quote it: bare, as Python writes it, and as JSON does."""
    return {value} if value.isalnum() else {value, repr(value)[1:-1], encode(value).decode()[1:-1]}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        parts = cast("dict[str, Any]", value).values() if isinstance(value, dict) else cast("list[Any]", value)
        for part in parts:
            yield from _strings(part)


def _mapped(value: Any, quoted: list[tuple[str, list[str]]]) -> Any:
    if isinstance(value, dict):
        return {name: _mapped(part, quoted) for name, part in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_mapped(part, quoted) for part in cast("list[Any]", value)]
    if isinstance(value, str):
        for begin, forms in quoted:
            value = _unquoted(value, begin, forms)
    return value


def _unquoted(text: str, begin: str, forms: list[str]) -> str:
    """The text without any of the forms, which begin alike; of one that was cut, without as much as there is."""
    at = 0
    while (at := text.find(begin, at)) >= 0:
        end = at + max(_shared(text[at : at + len(form)], form) for form in forms)
        text = text[:at] + REDACTED + text[end:]
        at += len(REDACTED)
    return text


def _shared(one: str, other: str) -> int:
    """How many characters both begin with."""
    return sum(1 for _ in takewhile(bool, map(eq, one, other)))
