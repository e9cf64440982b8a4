"""Reads settings from where they may stand, for ``core.settings``, which knows them all."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from penstock.core.options import Setting
from penstock.core.settings_sections import PROVIDER

_KEY_VARIABLE = re.compile(r"PENSTOCK_([A-Z0-9_]+)_API_KEY")  # of the provider with that slug


class Reader:
    """Reads the places settings come from, and collects what is wrong there. ``known``: every setting."""

    def __init__(self, known: Iterable[Setting]) -> None:
        self.problems: list[str] = []
        self._known = {row.name: row for row in known}

    def flags(self, given: Mapping[str, object]) -> dict[str, Any]:
        """Raises KeyError on a name that is no setting: that is a fault of the program, not of its user."""
        rows = [(self._known[name], value) for name, value in given.items() if value is not None]
        return self._parsed((row, value, f"flag {row.flag}") for row, value in rows)

    def environ(self, environ: Mapping[str, str]) -> dict[str, Any]:
        """Unknown variables are refused where they look like a slip of the pen; others (a container platform sets
        ``PENSTOCK_SERVICE_HOST`` for a service of that name) are not ours. An empty variable counts as not set.
        """
        rows = {row.variable: row for row in self._known.values()}
        for name in environ:
            ours = name.startswith("PENSTOCK_") and not name.startswith("PENSTOCK_TEST_")  # those are the tests' own
            ours = ours and not _KEY_VARIABLE.fullmatch(name)
            if ours and name not in rows and (near := _near(name, rows)):
                self.problems.append(f"variable {name}: there is no such setting; did you mean {near}?")
        return self._parsed((row, environ[name], f"variable {name}") for name, row in rows.items() if environ.get(name))

    def keys(self, environ: Mapping[str, str]) -> dict[str, str]:
        """``PENSTOCK_{SLUG}_API_KEY``, by slug."""
        read: dict[str, str] = {}
        for name, value in environ.items():
            if value and (match := _KEY_VARIABLE.fullmatch(name)):
                for key in self._parsed([(PROVIDER["api_key"], value, f"variable {name}")]).values():
                    read[match[1].lower().replace("_", "-")] = key
        return read

    def document(self, path: Path, *, named: bool) -> dict[str, Any]:
        """The configuration file; a missing one is empty unless somebody ``named`` it."""
        try:
            return tomllib.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            if named:
                self.problems.append(f"config: there is no file {path}")
        except OSError as error:
            self.problems.append(f"config: {path} cannot be read: {error.strerror}")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            self.problems.append(f"config: {path} is not TOML: {error}")
        return {}

    def prices(self, named: str, usual: Path) -> tuple[str, str]:
        """The file of prices and its text; empty where there is none and nobody ``named`` one."""
        path = Path(named).expanduser() if named else usual
        try:
            return str(path), path.read_text("utf-8")
        except FileNotFoundError:
            if named:
                self.problems.append(f"prices_file: there is no file {path}")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            self.problems.append(f"prices_file: {path} cannot be read: {reason}")
        return named, ""

    def members(self, section: Mapping[str, Any], known: Mapping[str, Setting], place: str) -> dict[str, Any]:
        """A table of the configuration file; unknown members are refused."""
        for name in [name for name in section if name not in known]:
            near = _near(name, known)
            hint = f"did you mean {near}?" if near else f"known are {', '.join(sorted(known))}"
            self.problems.append(f"{place}: there is no setting {name!r}; {hint}")
        return self._parsed((known[name], value, place) for name, value in section.items() if name in known)

    def _parsed(self, found: Iterable[tuple[Setting, object, str]]) -> dict[str, Any]:
        """The values of what was found; each of ``found`` is a row, what was written, and where."""
        values: dict[str, Any] = {}
        for row, written, place in found:
            try:
                values[row.name] = row.kind.parse(written)
            except ValueError as error:
                secret = row.secret or "@" in str(written)  # an address may hold a password
                shown = "" if secret else f", not {written!r}"
                self.problems.append(f"{row.name} ({place}): {error}{shown}")
        return values


def _near(name: str, known: Iterable[str]) -> str | None:
    return next(iter(get_close_matches(name, list(known), n=1, cutoff=0.85)), None)
