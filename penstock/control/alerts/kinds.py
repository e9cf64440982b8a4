"""What an alert can be about: each kind is a row of the table."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from penstock.core import instants
from penstock.storage import provider_keys
from penstock.storage.alerts import AlertRow
from penstock.storage.engine import Handle


class Reading(NamedTuple):
    """How it stands with one subject of an alert."""

    subject: str
    about: dict[str, Any]  # what it is, ``gateway_id`` above all: told also when it is over
    value: float
    figures: Mapping[str, Any]  # more of now
    since: int | None = None  # where it is known better than by looking now and then


class Kind(NamedTuple):
    """``measure`` reads all subjects of an alert at a time, in milliseconds. The condition holds where the value of a
    reading reaches the threshold; of a kind without one, where there is a reading.

    ``says`` and ``over`` are filled in with what is told.
    """

    measure: Callable[[Handle, AlertRow, int], Awaitable[list[Reading]]]
    says: str
    over: str
    threshold: tuple[float, float] | None = None  # the range that it may be in
    counts: bool = False  # calls, of which there must be some before it says anything

    def holds(self, reading: Reading, settings: Mapping[str, Any]) -> bool:
        return self.threshold is None or reading.value >= settings["threshold"]


async def _refused(connection: Handle, row: AlertRow, _now: int) -> list[Reading]:
    """Keys whose last use their provider has refused."""
    keys = await provider_keys.refused_ones(connection, row.account, row.gateway)
    return [
        Reading(
            key.id,
            {"gateway_id": gateway_id, "key_id": key.id, "provider": key.provider, "alias": key.alias},
            key.refused_status or 0,
            {"refused_at": instants.text(at)},
            at,
        )
        for gateway_id, key in keys
        for at in [key.refused_at or 0]
    ]


KINDS: dict[str, Kind] = {
    "credential_refused": Kind(
        _refused,
        "{provider} refused the key {alias!r} of the gateway {gateway_id} with status {value:.0f}.",
        "{provider} no longer refuses the key {alias!r} of the gateway {gateway_id}: it was accepted, "
        "replaced or deleted.",
    ),
}
