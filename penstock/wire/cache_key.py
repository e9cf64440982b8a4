"""What makes two calls the same (decisions 20): everything that a provider would answer by, as it was sent.

JSON is not normalised. Two spellings of one prompt are two keys: to tell them apart is a provider's right.
"""

from collections.abc import Iterable
from hashlib import sha256
from operator import itemgetter

from penstock.core.codec import pack
from penstock.core.headers import Headers

_HEEDED = frozenset({b"accept", b"openai-organization", b"openai-project"})
_PREFIX = b"anthropic-"
_name = itemgetter(0)


def own_key(number: int, generation: int, value: bytes) -> bytes:
    """The key of a client that brings its own: it is for that gateway, and for nothing else of the call."""
    return sha256(pack((b"own", number, generation, value))).digest()


def call_key(number: int, generation: int, place: Iterable[bytes], heeded: Headers, body: bytes) -> bytes:
    """The key of a call. ``number`` is the gateway's, which no other of any account has; ``place`` is method, host,
    path and query as they travel; ``heeded`` as of ``heed``.

    32 bytes; each part has its length beside it, so that none can flow into the next.
    """
    said = [(lower, value) for lower, _, value in heeded]
    said.sort(key=_name)  # their order says nothing, but among those of one name
    digest = sha256(pack((b"call", number, generation, *place, said)))
    digest.update(body)
    return digest.digest()


def heed(headers: Headers, credentials: frozenset[bytes], stays: frozenset[bytes]) -> Headers:
    """What a key heeds: ``credentials`` of providers unless they ``stay`` here, and what changes an answer."""
    return [
        header
        for header in headers
        if header[0] in _HEEDED
        or (header[0] in credentials and header[0] not in stays)
        or header[0].startswith(_PREFIX)
    ]
