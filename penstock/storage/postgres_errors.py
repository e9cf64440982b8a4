"""What PostgreSQL and its driver raise, by the names of ``storage.errors``. Decided by SQLSTATE."""

from penstock.storage.errors import Duplicate, StoreRefused, StoreUnavailable, Unwritable

# Classes and codes that stay until somebody mends something; whatever is in no table here may pass.
_LASTING = (
    "0P",  # no such role
    "28",  # password, pg_hba.conf
    "3D",  # no such database
    "3F",  # no such schema
    "42",  # no such table or column; not permitted
    "25006",  # a standby, which only reads
    "XX001",  # damaged
    "XX002",
)
_TABLES = ("42501", "42P01", "42703")  # not permitted, no such table, no such column
_VALUES = ("22", "54")  # no value of a column; too long for an index
_RULES = "23"


def told(error: BaseException) -> Exception:
    """``error``: of asyncpg, of its connection, or of what was given to it."""
    state = sqlstate(error)
    if state.startswith(_RULES):
        return Duplicate(str(error))
    if state.startswith(_VALUES) or isinstance(error, OverflowError | TypeError | ValueError):
        return Unwritable(repr(error))
    if is_lasting(state):
        return StoreRefused(f"The database refuses: {error}")
    return StoreUnavailable(f"The database cannot be used: {str(error) or type(error).__name__}")


def unconnected(error: BaseException) -> StoreUnavailable:
    """``error``: of the attempt to connect."""
    answered = is_lasting(sqlstate(error))
    if answered or (isinstance(error, ValueError) and not isinstance(error, OSError)):  # of the address itself
        return StoreRefused(f"The database refuses the connection: {error}")
    return StoreUnavailable(f"The database cannot be reached: {str(error) or type(error).__name__}")


def is_lasting(state: str) -> bool:
    return state.startswith(_LASTING)


def is_of_the_tables(state: str) -> bool:
    """Whether a statement was refused for what the database lacks, and not for how it was written."""
    return state in _TABLES


def sqlstate(error: BaseException) -> str:
    """Of the server's answer; empty: it is no answer of the server."""
    return getattr(error, "sqlstate", None) or ""
