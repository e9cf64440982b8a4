"""The line: a call from admission to reply."""

from penstock.model.exchange import Exchange
from penstock.model.reply import Reply
from penstock.proxy import address
from penstock.proxy.plane import Plane


async def serve(ex: Exchange, plane: Plane) -> Reply:
    """One call from admission to reply. Reading order is running order."""
    plane.admit()  # 503; more calls than this process may have
    address.read(ex.request)  # 404
    gw = plane.snapshots.current.gateway(ex) or await plane.default.make(ex)  # 400/2001
    ex.caller = gw.auth.identify(ex)  # 401/2009; from the headers alone
    plane.seat(ex)  # 503; more than its gateway's share of them
    ex.options = gw.options.read(ex)  # what it asks for itself
    ex.plan = gw.routing.plan(ex)  # 400/2008; which targets, in which order
    await gw.limits.admit(ex)  # 429/2003
    await gw.intake.read(ex)  # 408, 413; the body is here, or streams
    if hit := await gw.cache.lookup(ex):  # a hit skips what follows
        return gw.meter.count(ex, hit)
    await gw.policies.check(ex)  # 403
    await gw.spend.admit(ex)  # 429/2045
    await gw.dlp.inspect_request(ex)  # 400/2029
    await gw.guard.inspect_request(ex)  # 424/2016
    gw.ask_usage.ask(ex)
    reply = await gw.calls.run(ex)  # 502, 504/2005
    reply = gw.dlp.inspect_reply(ex, reply)  # 400/2030
    reply = gw.guard.inspect_reply(ex, reply)  # 424/2017
    reply = gw.meter.count(ex, reply)
    reply = gw.ask_usage.hide(ex, reply)
    return gw.cache.capture(ex, reply)
