"""Webhooks: where one may be, what signs it (Standard Webhooks), and one call of it."""

import asyncio
import hmac
from base64 import b64decode, b64encode
from urllib.parse import urlsplit

import msgspec

from penstock.core.addresses import NOT_PUBLIC, Rules
from penstock.core.headers import Headers
from penstock.model.outgoing import Outgoing
from penstock.model.plan import Origin
from penstock.ports.transport import Transport

PATIENCE = 10.0  # seconds for a webhook
PREFIX = "whsec_"  # of a secret, before its base64
SIZES = range(24, 65)  # bytes that a secret may have


class Webhook(msgspec.Struct, frozen=True):
    """Where a webhook is."""

    origin: Origin
    host: bytes
    path: bytes


def placed(url: str, rules: Rules) -> Webhook:
    """Where an address that somebody has set leads. Raises ValueError, saying why it may not be called."""
    try:
        place = urlsplit(url)
        host, port = place.hostname or "", place.port
        path = (place.path or "/") + (f"?{place.query}" if place.query else "")
        named, told = place.netloc.encode("ascii"), path.encode("ascii")
    except (ValueError, UnicodeEncodeError):
        raise ValueError("is no address in ASCII.") from None
    tls = place.scheme == "https"
    if not host or "@" in place.netloc or not (tls or (place.scheme == "http" and rules.plain(host))):
        raise ValueError("must be https, without a user.")
    if any(byte <= 0x20 or byte == 0x7F for byte in told):  # noqa: PLR2004  no control characters in a head
        raise ValueError("holds spaces or control characters.")
    if refusal := rules.host_refusal(host, trusted=False):
        hint = "; see allowed_networks" if refusal == NOT_PUBLIC else ""
        raise ValueError(f"{host} may not be called: {refusal}{hint}.")
    return Webhook(Origin(tls, host, port or (443 if tls else 80)), named, told)


def key_of(secret: str) -> bytes:
    """The bytes that sign. Raises ValueError."""
    key = b64decode(secret.removeprefix(PREFIX), validate=True)
    if not secret.startswith(PREFIX) or len(key) not in SIZES:
        raise ValueError(f"must be {PREFIX} and the base64 of {SIZES[0]} to {SIZES[-1]} bytes")
    return key


def signed(key: bytes, message_id: str, timestamp: int, body: bytes) -> Headers:
    """The headers by which a receiver knows who has sent this. ``timestamp``: of this attempt, in seconds."""
    told = b"%s.%d." % (message_id.encode(), timestamp)
    signature = b"v1," + b64encode(hmac.digest(key, told + body, "sha256"))
    pairs = {b"webhook-id": message_id.encode(), b"webhook-timestamp": b"%d" % timestamp}
    return [(name, name, value) for name, value in (pairs | {b"webhook-signature": signature}).items()]


async def call(transport: Transport, hook: Webhook, body: bytes, headers: Headers | None = None) -> int:
    """The status of the answer, of which nothing else is read. Raises PenstockError, TimeoutError."""
    sent = Outgoing(hook.origin, b"POST", hook.host, hook.path, headers=headers)
    sent.put(b"content-type", b"application/json")
    sent.body = body
    async with asyncio.timeout(PATIENCE):
        reply = await transport.send(sent, PATIENCE)
    reply.body.close()
    return reply.status
