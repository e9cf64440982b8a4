"""Metadata of a call: a flat JSON object, as ``cf-aig-metadata`` carries it (docs/logging.md)."""

from typing import Any, cast

from penstock.core.codec import DecodeError, decode, encode

ENTRIES = 5
KEY_LIMIT = 128  # characters
VALUE_LIMIT = 1024  # characters of a text
RESERVED = "cf."  # what such keys say is for the gateway alone to say


def read(value: bytes) -> tuple[str | None, list[str]]:
    """The object as it is stored, None where there is nothing to store; and what of it was lost, in words."""
    try:
        given: Any = decode(value)
    except DecodeError:
        return None, ["ignored: it is not JSON in UTF-8"]
    if not isinstance(given, dict):
        return None, ["ignored: it is not a JSON object"]
    kept: dict[str, str | int | float | bool] = {}
    lost: list[str] = []
    for key, entry in cast("dict[str, Any]", given).items():
        if key.startswith(RESERVED):
            lost.append(f"{key[:KEY_LIMIT]!r} left out: keys that begin with {RESERVED} are the gateway's")
        elif entry is None or isinstance(entry, dict | list):
            return None, [f"ignored: {key[:KEY_LIMIT]!r} is neither text nor number nor true or false"]
        elif len(key) > KEY_LIMIT:
            lost.append(f"an entry left out: its key has more than {KEY_LIMIT} characters")
        elif isinstance(entry, str) and len(entry) > VALUE_LIMIT:
            lost.append(f"{key!r} left out: more than {VALUE_LIMIT} characters")
        else:
            kept[key] = entry
    if len(kept) > ENTRIES:
        lost.append(f"only the first {ENTRIES} of {len(kept)} entries kept")
        kept = dict(list(kept.items())[:ENTRIES])
    return (encode(kept).decode() if kept else None), lost
