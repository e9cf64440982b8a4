"""The version of the configuration: one number that every change of a gateway or a token raises, in its transaction.

Whoever serves looks at it and reads only the rows that are newer than what it has. PostgreSQL announces it to who
listens, when the transaction is committed.
"""

from sqlalchemy import func, select, update

from penstock.storage.announcements import CHANNEL
from penstock.storage.engine import Handle
from penstock.storage.tables import configuration


async def version(connection: Handle) -> int:
    """The newest version."""
    return (await connection.execute(select(configuration.c.version))).scalar_one()


async def installation(connection: Handle) -> str:
    """The name of what this database is part of, in what it may share with others."""
    return (await connection.execute(select(configuration.c.installation))).scalar_one()


async def raise_version(connection: Handle) -> int:
    """The version that the rows changed in this transaction bear."""
    newer = update(configuration).values(version=configuration.c.version + 1).returning(configuration.c.version)
    raised: int = (await connection.execute(newer)).scalar_one()
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_notify(CHANNEL, str(raised))))
    return raised
