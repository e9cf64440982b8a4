"""Who makes a call."""

import msgspec

from penstock.model.token import Token

_NONE: frozenset[bytes] = frozenset()


class Caller(msgspec.Struct, frozen=True):
    """Who calls, and which parts of the request are not forwarded."""

    token: str = ""  # id of the token that lets the call in; empty: the gateway asks for none
    bearer: Token | None = None  # the token itself
    places: frozenset[bytes] = _NONE  # headers that are not forwarded
    query: bytes | None = None  # the query that is forwarded, with its question mark; None: all of it
    fault: str = "missing"  # why no token lets the call in; empty where one does


NOBODY = Caller()
