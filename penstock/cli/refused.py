"""What a start can end with."""


class Refused(Exception):
    """The server cannot start; the message says why and what to do."""
