"""The key under which an answer is cached: a digest of everything that travels to the provider, except known noise.

JSON is not normalised: two spellings of one prompt are two keys, because a provider may tell them apart.
"""

from collections.abc import Iterable
from hashlib import sha256
from operator import itemgetter
from typing import Protocol

from penstock.core.codec import pack
from penstock.core.headers import Headers

_KNOWN = 1024  # names remembered; beyond, they are judged anew every time
_name = itemgetter(0)

# Headers that no provider answers by. Everything else that travels tells two calls apart.
NOISE = frozenset(
    {
        *(b"user-agent", b"x-amz-user-agent", b"x-ms-useragent", b"dnt", b"sec-gpc"),  # the agent
        *(b"accept-encoding", b"cache-control", b"pragma", b"priority", b"via", b"cdn-loop"),  # the connection
        *(b"b3", b"baggage", b"grpc-trace-bin", b"newrelic", b"sentry-trace", b"traceparent", b"tracestate"),
        *(b"elastic-apm-traceparent", b"uber-trace-id", b"x-amzn-trace-id", b"x-cloud-trace-context"),
        *(b"client-request-id", b"request-id", b"x-client-request-id", b"x-correlation-id", b"x-ms-client-request-id"),
        *(b"x-request-id", b"x-request-start", b"x-span-id", b"x-trace-id", b"x-vercel-id"),
        *(b"amz-sdk-invocation-id", b"amz-sdk-request", b"x-goog-api-client"),  # telemetry of SDKs
    }
)
NOISE_PREFIXES = (
    *(b"ot-tracer-", b"sec-ch-", b"sec-fetch-", b"x-b3-", b"x-datadog-", b"x-envoy-", b"x-fern-"),
    *(b"x-ot-span-", b"x-stainless-"),
)


class Digest(Protocol):
    """A key in the making."""

    def update(self, data: bytes | memoryview, /) -> object: ...
    def digest(self) -> bytes: ...


def own_key(number: int, generation: int, value: bytes) -> bytes:
    """The key of a client that brings its own: it is for that gateway, and for nothing else of the call."""
    return sha256(pack((b"own", number, generation, value))).digest()


def call_key(number: int, generation: int, place: Iterable[bytes], headers: Headers) -> Digest:
    """The key of a call, to be updated with its body. ``number`` is the gateway's, unique among all accounts;
    ``place`` is method, host, path and query; ``headers`` and these are as they travel, without noise.

    32 bytes; each part has its length beside it, so that none can flow into the next.
    """
    telling = [(lower, value) for lower, _, value in headers]
    telling.sort(key=_name)  # stable: the order counts only among headers of one name
    return sha256(pack((b"call", number, generation, *place, telling)))


def without_noise(headers: Headers) -> Headers:
    """The headers that may tell two calls apart, if they travel."""
    return [header for header in headers if _TELLS[header[0]]]


class _Tells(dict[bytes, bool]):
    """Whether a header of that lower-case name tells calls apart; judged once a name."""

    def __missing__(self, name: bytes) -> bool:
        tells = name not in NOISE and not name.startswith(NOISE_PREFIXES)
        if len(self) < _KNOWN:
            self[name] = tells
        return tells


_TELLS = _Tells()
