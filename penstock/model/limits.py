"""How often something may happen."""

from typing import NamedTuple


class RateLimit(NamedTuple):
    """At most ``limit`` places within ``interval`` seconds; both above 0.

    ``technique``: ``fixed`` (windows of the clock) or ``sliding`` (within any interval).
    """

    interval: int
    limit: int
    technique: str
