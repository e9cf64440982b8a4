"""What a webhook says. Pure."""

from collections.abc import Mapping
from typing import Any

from penstock.control.alerts.kinds import KINDS, Reading
from penstock.core import codec, ids, instants
from penstock.storage.alert_deliveries import DeliveryRow
from penstock.storage.alerts import AlertRow

FIRING, RESOLVED, TEST = "alert.firing", "alert.resolved", "alert.test"
_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def told(row: AlertRow, about: Mapping[str, Any], reading: Reading | None) -> dict[str, Any]:
    """What is known of a subject; ``about``: what it is."""
    get = row.settings.get
    return {
        "alert_id": row.id,
        "name": get("name"),
        "kind": row.kind,
        "account_id": row.account,
        **about,
        "value": None if reading is None else reading.value,
        "threshold": get("threshold"),
        "window_seconds": get("window_seconds"),
        **(reading.figures if reading is not None else {}),
    }


def sentence(event: str, data: Mapping[str, Any]) -> str:
    """The same for people."""
    if event == TEST:
        return f"This is a test of the alert {data['name']!r}."
    kind = KINDS[data["kind"]]
    return (kind.says if event == FIRING else kind.over).format_map({**data, "window": window(data["window_seconds"])})


def window(seconds: int) -> str:
    """``5 minutes``."""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    many = seconds // size
    return unit if many == 1 else f"{many} {unit}s"


def message(
    row: AlertRow, event: str, subject: str, data: Mapping[str, Any], now: int, since: int | None
) -> DeliveryRow:
    """A webhook that is due now."""
    known = {**data, "since": None if since is None else instants.text(since), "message": sentence(event, data)}
    body = codec.encode({"type": event, "timestamp": instants.text(now), "data": known}).decode()
    return DeliveryRow(f"msg_{ids.new().hex()}", row.id, subject, body, now, now)
