"""What storage raises."""

from penstock.core.errors import PenstockError


class StoreUnavailable(PenstockError):
    """The store cannot be used; what stands in its way may pass."""

    status, code = 503, 2010
    retry_after = 1


class StoreRefused(StoreUnavailable):
    """The store cannot be used until somebody mends something: a table is missing, a permission, a password."""


class Duplicate(Exception):
    """There is a row of that key already, or another rule of a table forbids it."""


class Unwritable(Exception):
    """A value that no column can hold; it never will be written."""


class Taken(Exception):
    """There is a row of that name already."""


class TooSlow(Exception):
    """A question to the log took longer than it may."""
