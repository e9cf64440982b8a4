"""Tries the plan's targets in order until one answers. Writes ``attempts`` and ``target``.

Any head counts as an answer, also an error of the provider: it is relayed as it is. The exchange closes the upstream,
whatever happens.
"""

import time

from penstock.core.errors import ProviderFailure
from penstock.model.exchange import Exchange
from penstock.model.plan import Attempt, Target
from penstock.model.reply import Reply
from penstock.ports.transport import Outgoing, Transport
from penstock.wire.encodings import narrow_accept_encoding
from penstock.wire.headers import onward


class Calls:
    """``first_byte``: seconds that a provider may take to the first byte of its answer."""

    def __init__(self, transport: Transport, first_byte: float) -> None:
        self._transport = transport
        self._first_byte = first_byte

    async def run(self, ex: Exchange) -> Reply:
        """The answer, its head here and its body coming. Raises what the last target failed with."""
        assert ex.plan is not None
        failure = ProviderFailure("Failed to get response from provider: the plan has no target.")
        for target in ex.plan.targets:
            attempt = Attempt(target.provider, target.upstream.origin, time.monotonic())
            ex.attempts.append(attempt)
            try:
                upstream = await self._transport.send(self._outgoing(ex, target))
            except ProviderFailure as error:
                attempt.ended, attempt.error, failure = time.monotonic(), error.message, error
                continue
            ex.defer(upstream.close)
            ex.target, ex.reply = target, upstream.reply
            ex.first_byte = attempt.ended = time.monotonic()
            attempt.status, attempt.reused = upstream.reply.status, upstream.reused
            return upstream.reply
        raise failure

    def _outgoing(self, ex: Exchange, target: Target) -> Outgoing:
        request = ex.request
        lines = [b"%b %b%b HTTP/1.1\r\nhost: %b\r\n" % (request.method, target.path, request.query, target.upstream.host)]
        places = ex.caller.places
        for lower, name, value in onward(request.headers):
            if lower in places:
                continue
            if lower == b"accept-encoding":
                value = narrow_accept_encoding(value) if ex.prompt is None else b"identity"  # noqa: PLW2901
            lines.append(b"%b: %b\r\n" % (name, value))
        head = b"".join(lines)
        body = ex.prompt if ex.prompt is not None else request.body.whole()
        if body is None:
            return Outgoing(target.upstream.origin, request.method, head, self._first_byte, stream=request.body)
        has_body = bool(body) or request.body.length is not None
        return Outgoing(target.upstream.origin, request.method, head, self._first_byte, body=body, has_body=has_body)
