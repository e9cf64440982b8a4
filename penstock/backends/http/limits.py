"""How long calls on a provider may take."""

from penstock.core.deadlines import NEVER


class Limits:
    """Seconds: between two bytes of an answer, for which an idle connection is kept, and for a whole call.

    ``unread``: a pooled connection that closes so soon after a request was written had been closed before it came.
    """

    __slots__ = ("between", "idle", "unread", "whole")

    def __init__(self, between: float, idle: float, whole: float = NEVER, unread: float = 0.1) -> None:
        self.between = between
        self.idle = idle
        self.whole = whole
        self.unread = unread
