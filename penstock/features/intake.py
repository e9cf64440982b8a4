"""The request body arrives: held whole while it is small, and read as far as the line must know it.

Ends the call where the body does not come, comes too slowly or is too large. Writes ``request.asked``.
"""

from penstock.model.exchange import Exchange
from penstock.providers.cacheability import may_be_cached
from penstock.providers.dialects import DIALECTS

CACHEABLE = 25 << 20  # bytes of a request whose answer may be cached


class Intake:
    """Waits for the body and looks into it."""

    async def read(self, ex: Exchange) -> None:
        """Returns when the body is whole, or too large to hold. Raises BodyTooLarge, RequestTimeout, Overloaded."""
        request, options = ex.request, ex.options
        assert ex.plan is not None
        endpoint = ex.plan.targets[0].endpoint
        if options.cache_ttl and (options.cache_key or may_be_cached(request.method, endpoint, request.query)):
            request.body.hold(CACHEABLE)
        await request.body.ready()
        dialect = DIALECTS.get(endpoint.dialect)
        if dialect is not None and (body := request.body.whole()):
            request.asked = dialect.asked(body)
