"""The form of all settings: what it holds, and what somebody changed in it."""

from collections.abc import Mapping
from typing import Any

from penstock.control.gateways.compile_settings import NOT_YET
from penstock.control.gateways.schema import DEFAULT_GATEWAY
from penstock.core.codec import DecodeError, decode
from penstock.dashboard import rendering
from penstock.dashboard.forms import Faults, Form
from penstock.dashboard.gateways.controls import bare, fits
from penstock.dashboard.gateways.settings import SETTINGS

JSON = "json:"  # before the name of a field that has all of a setting, where no other fields can hold it
_NEEDED = ("cache_invalidate_on_update", "cache_ttl", "collect_logs", "rate_limiting_interval", "rate_limiting_limit")


class State:
    """What all controls are drawn with. ``rows``: what was asked of a list, as ``add otel`` and ``drop otel.1``."""

    not_yet = frozenset(NOT_YET)

    def __init__(self, action: str, faults: Faults, rows: str = "") -> None:
        self.action, self.faults = action, faults
        verb, _, self._at = rows.partition(" ")
        self.added = self._at if verb == "add" else ""

    def is_at(self, path: str) -> bool:
        """Whether somebody is at work in that setting."""
        return bool(self.faults.at(path)) or self._at == path or self._at.startswith(f"{path}.")


def entered(form: Form, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting as the form has it; what is not in the form, as it is stored."""
    there = {name.partition(".")[0] for name in form.names()}
    return {
        setting.name: (
            _json(form.whole(f"{JSON}{setting.name}"))
            if f"{JSON}{setting.name}" in there
            else setting.control.read(form, setting.name)
            if setting.name in there
            else stored.get(setting.name)
        )
        for setting in SETTINGS
    }


def changes(values: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Those that are not as they are stored."""
    return {name: value for name, value in values.items() if bare(value) != bare(stored.get(name))}


def body(changed: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """What the API is sent: besides what changed, what every write must have."""
    return {name: stored.get(name, DEFAULT_GATEWAY[name]) for name in _NEEDED} | dict(changed)


def as_json(values: Mapping[str, Any], form: Form | None = None) -> dict[str, str]:
    """Settings that are shown as JSON: those that came so, and those that their fields cannot hold."""
    if form is not None:
        came = [setting.name for setting in SETTINGS if f"{JSON}{setting.name}" in form]
        return {name: form.whole(f"{JSON}{name}") for name in came}
    return {
        setting.name: rendering.pretty(values[setting.name])
        for setting in SETTINGS
        if not fits(setting.control, values[setting.name])
    }


def _json(text: str) -> Any:
    """A value; what is no JSON stays text, which the schema refuses."""
    try:
        return decode(text) if text.strip() else None
    except DecodeError:
        return text
