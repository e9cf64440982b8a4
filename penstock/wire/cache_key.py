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
_KNOWN = 1024  # names remembered; beyond, they are judged anew every time
_name = itemgetter(0)


def own_key(number: int, generation: int, value: bytes) -> bytes:
    """The key of a client that brings its own: it is for that gateway, and for nothing else of the call."""
    return sha256(pack((b"own", number, generation, value))).digest()


def call_key(number: int, generation: int, place: Iterable[bytes], heeded: Headers, body: bytes) -> bytes:
    """The key of a call. ``number`` is the gateway's, which no other of any account has; ``place`` is method, host,
    path and query as they travel; ``heeded`` as of ``Heed``.

    32 bytes; each part has its length beside it, so that none can flow into the next.
    """
    said = [(lower, value) for lower, _, value in heeded]
    said.sort(key=_name)  # their order says nothing, but among those of one name
    digest = sha256(pack((b"call", number, generation, *place, said)))
    digest.update(body)
    return digest.digest()


class Heed:
    """Which headers a key heeds: providers' ``credentials``, and what changes an answer. Judged once a name."""

    def __init__(self, credentials: frozenset[bytes]) -> None:
        self._names = _Names(_HEEDED | credentials)

    def __call__(self, headers: Headers, stays: frozenset[bytes]) -> Headers:
        """Those of a call. Credentials that stay here, as the gateway's own token does, are none of the provider's."""
        names = self._names
        heeded = [header for header in headers if names[header[0]]]
        return [header for header in heeded if header[0] not in stays] if stays else heeded


class _Names(dict[bytes, bool]):
    def __init__(self, heeded: frozenset[bytes]) -> None:
        super().__init__()
        self._heeded = heeded

    def __missing__(self, name: bytes) -> bool:
        heeds = name in self._heeded or name.startswith(_PREFIX)
        if len(self) < _KNOWN:
            self[name] = heeds
        return heeds
