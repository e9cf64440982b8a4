import ssl

import asyncpg
import pytest

from penstock.storage import postgres_errors
from penstock.storage.errors import Duplicate, StoreRefused, StoreUnavailable, Unwritable

PASSING = [
    asyncpg.AdminShutdownError("the server stops"),
    asyncpg.CannotConnectNowError("it starts"),
    asyncpg.TooManyConnectionsError("too many"),
    asyncpg.DiskFullError("no room"),
    asyncpg.DeadlockDetectedError("a circle"),
    asyncpg.QueryCanceledError("too long"),
    asyncpg.LockNotAvailableError("others hold it"),
    asyncpg.InvalidCachedStatementError("a table has changed"),
    asyncpg.ConnectionDoesNotExistError("gone"),
    asyncpg.InterfaceError("the connection is closed"),
    ConnectionResetError("reset"),
    TimeoutError(),
]
LASTING = [
    asyncpg.UndefinedTableError("logs"),
    asyncpg.InsufficientPrivilegeError("logs"),
    asyncpg.ReadOnlySQLTransactionError("a standby"),
    asyncpg.DataCorruptedError("damaged"),
]
CONNECTING = [
    asyncpg.InvalidPasswordError("wrong"),
    asyncpg.InvalidCatalogNameError("no such database"),
    asyncpg.InvalidAuthorizationSpecificationError("pg_hba.conf"),
]


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_what_may_pass(error: Exception):
    for told in (postgres_errors.told(error), postgres_errors.unconnected(error)):
        assert type(told) is StoreUnavailable
        assert str(error) in str(told)


@pytest.mark.parametrize("error", [*LASTING, *CONNECTING], ids=repr)
def test_what_somebody_must_mend(error: Exception):
    assert type(postgres_errors.told(error)) is StoreRefused
    assert type(postgres_errors.unconnected(error)) is StoreRefused


def test_an_address_that_is_none_is_to_be_mended_and_a_certificate_may_be_renewed():
    assert type(postgres_errors.unconnected(ValueError("invalid port"))) is StoreRefused
    assert type(postgres_errors.unconnected(ssl.SSLCertVerificationError("it has expired"))) is StoreUnavailable


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (asyncpg.UniqueViolationError("logs_pkey"), Duplicate),
        (asyncpg.ForeignKeyViolationError("tokens"), Duplicate),
        (asyncpg.NumericValueOutOfRangeError("too large"), Unwritable),
        (asyncpg.CharacterNotInRepertoireError("NUL"), Unwritable),
        (asyncpg.ProgramLimitExceededError("too long for an index"), Unwritable),
        (OverflowError("int too large"), Unwritable),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates"), Unwritable),
    ],
    ids=repr,
)
def test_what_no_column_holds(error: Exception, kind: type[Exception]):
    assert type(postgres_errors.told(error)) is kind


def test_what_the_tables_lack_is_told_from_what_is_wrongly_said():
    assert postgres_errors.is_of_the_tables(asyncpg.UndefinedTableError.sqlstate)
    assert not postgres_errors.is_of_the_tables(asyncpg.PostgresSyntaxError.sqlstate)
