"""What storage raises."""

from penstock.core.errors import PenstockError


class StoreUnavailable(PenstockError):
    """The store cannot be used."""

    status, code = 503, 2010
    retry_after = 1


class Unwritable(Exception):
    """A log record has a value that no column can hold; it never will be written."""


class Taken(Exception):
    """There is a row of that name already."""


class TooSlow(Exception):
    """A question to the log took longer than it may."""
