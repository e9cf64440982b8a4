"""How much of its log each gateway keeps, by its settings."""

from penstock.core import codec
from penstock.storage.sql import Sql

DAY = 24 * 3600 * 1000


class Keep(codec.Struct, frozen=True):
    """Members of a gateway's settings (docs/gateways.md). None: no limit."""

    log_management: int | None = None
    log_management_strategy: str | None = None
    log_retention_days: int | None = None
    log_body_retention_days: int | None = None

    @property
    def most(self) -> int | None:
        """Rows; None: the oldest go, or there is no limit."""
        return None if self.log_management_strategy == "DELETE_OLDEST" else self.log_management

    @property
    def newest(self) -> int | None:
        """Rows; the oldest go."""
        return self.log_management if self.log_management_strategy == "DELETE_OLDEST" else None

    def rows_from(self, now: int) -> int | None:
        """Milliseconds: what is older goes."""
        return None if self.log_retention_days is None else now - self.log_retention_days * DAY

    def bodies_from(self, now: int) -> int | None:
        """The same of bodies."""
        return None if self.log_body_retention_days is None else now - self.log_body_retention_days * DAY


EVERYTHING = Keep()
_read = codec.decoder(Keep).decode


def changed(connection: Sql, after: int) -> tuple[int, dict[int, Keep]]:
    """The configuration's version now, and what each gateway keeps that was changed after version ``after``."""
    ((version,),) = connection.execute("SELECT version FROM configuration")
    if version == after:
        return version, {}
    sql = "SELECT number, settings, deleted_at FROM gateways WHERE version > ?"
    found = connection.execute(sql, (after,))
    return version, {number: _read(settings) if died is None else EVERYTHING for number, settings, died in found}


def count(connection: Sql, number: int) -> int:
    """Rows of a gateway."""
    return connection.execute("SELECT coalesce(sum(rows), 0) FROM log_zones WHERE gateway = ?", (number,))[0][0]
