"""Who is calling.

Recognises the gateway's own tokens wherever a client may have put them, by their SHA-256, so that they never travel
to a provider. Writes ``caller``. Does not end a call.
"""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from penstock.model.exchange import Exchange

TOKEN_PLACES = frozenset({b"api-key", b"authorization", b"cf-aig-authorization", b"x-api-key", b"x-goog-api-key"})


class Caller(NamedTuple):
    """The token's id (empty: none of ours came) and the headers that carried it."""

    token: str
    places: frozenset[bytes]


NOBODY = Caller("", frozenset())


class Auth:
    """Looks tokens up. ``tokens`` maps SHA-256 digests to token ids."""

    def __init__(self, tokens: Mapping[bytes, str]) -> None:
        self._tokens = tokens

    def identify(self, ex: Exchange) -> Caller:
        """The caller; never refuses."""
        found = ""
        places: set[bytes] = set()
        for lower, _, value in ex.request.headers:
            if lower in TOKEN_PLACES and (token := self._tokens.get(digest(value))) is not None:
                found = found or token
                places.add(lower)
        return Caller(found, frozenset(places)) if found else NOBODY


def digest(value: bytes) -> bytes:
    """SHA-256 of a credential as a header carries it, with or without a scheme before it, whatever that is."""
    words = value.split()
    return hashlib.sha256(words[-1] if words else b"").digest()
