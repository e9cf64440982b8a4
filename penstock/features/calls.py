"""Tries the plan's targets in order until one answers. Writes ``attempts`` and ``target``.

A body that streamed to a target which then failed goes to the next only as long as all of it is still held.

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
            began = time.monotonic()
            attempt = Attempt(target.provider, target.origin.host, (began - ex.started) * 1000)
            ex.attempts.append(attempt)
            try:
                reply = await self._transport.send(self._outgoing(ex, target))
            except ProviderFailure as error:
                attempt.duration = (time.monotonic() - began) * 1000
                attempt.error, failure = error.message, error
                if not ex.request.body.rewindable():
                    break
                continue
            ex.defer(reply.body.close)
            ex.target, ex.reply, ex.first_byte = target, reply, time.monotonic()
            attempt.duration = (ex.first_byte - began) * 1000
            attempt.status, attempt.reused = reply.status, reply.body.reused
            return reply
        raise failure

    def _outgoing(self, ex: Exchange, target: Target) -> Outgoing:
        request, caller, places, query = ex.request, ex.caller, ex.caller.places, target.query
        if query is None:
            query = request.query if caller.query is None else caller.query
        if target.stays:
            places |= target.stays
        head = [request.method, b" ", target.path, query, b" HTTP/1.1\r\nhost: ", target.host, b"\r\n"]
        for lower, name, value in onward(request.headers):
            if lower == b"accept-encoding":
                if ex.prompt is None:
                    narrow = narrow_accept_encoding(value)
                    head += (name, b": ", value if narrow != value and request.signed() else narrow, b"\r\n")
            elif lower not in places:
                head += (name, b": ", value, b"\r\n")
        if ex.prompt is not None:  # its stream will be read and changed on the way back
            head.append(b"accept-encoding: identity\r\n")
        body = ex.prompt if ex.prompt is not None else request.body.whole()
        if body is None:
            length = request.body.length
            head.append(b"transfer-encoding: chunked\r\n" if length is None else b"content-length: %d\r\n" % length)
            return Outgoing(target.origin, request.method, head, self._first_byte, b"", request.body)
        if body or request.body.length is None or request.header(b"content-length") is not None:
            head.append(b"content-length: %d\r\n" % len(body))
        return Outgoing(target.origin, request.method, head, self._first_byte, body)
