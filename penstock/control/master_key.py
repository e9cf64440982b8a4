"""The master key, and the one before it while secrets are sealed anew: in the settings, or in files of the data
directory (docs/keys.md).
"""

from pathlib import Path

FILE = "master.key"
PREVIOUS = "master.key.previous"
LENGTH = 32  # bytes


class Unusable(Exception):
    """A master key that cannot be used; the message is a sentence that names it."""


def read(data_dir: Path, given: str) -> bytes:
    """The master key. ``given``: that of the settings (64 hex digits), or empty. Raises FileNotFoundError, Unusable."""
    return _read(data_dir / FILE, given)


def read_previous(data_dir: Path, given: str) -> bytes | None:
    """The one before, if there is one. Raises Unusable."""
    try:
        return _read(data_dir / PREVIOUS, given)
    except FileNotFoundError:
        return None


def together(key: bytes, previous: bytes | None) -> tuple[bytes, ...]:
    """The keys of a vault, the one that seals first. Raises Unusable."""
    if previous == key:
        raise Unusable(
            f"The master key and the previous one (master_key_previous, or {PREVIOUS}) are the same: one of the two is "
            "to be another key."
        )
    return (key,) if previous is None else (key, previous)


def _read(file: Path, given: str) -> bytes:
    if given:
        return bytes.fromhex(given)
    try:
        key = file.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unusable(f"{file} cannot be read: {error.strerror}.") from None
    if len(key) != LENGTH:
        raise Unusable(f"{file} is damaged: it has {len(key)} bytes instead of {LENGTH}. Restore it from a backup.")
    return key
