"""The line: a call from admission to its steps, and a step from the cache to its reply."""

from penstock.features.envelope import enveloped
from penstock.gateway.compile import CompiledGateway
from penstock.model.exchange import Exchange
from penstock.model.reply import Reply
from penstock.model.step import Step
from penstock.providers.run import RUN
from penstock.proxy import steps, surfaces
from penstock.proxy.plane import Plane


async def serve(ex: Exchange, plane: Plane) -> Reply:
    """One call from admission to reply. Reading order is running order."""
    surfaces.read(ex.request)  # 404, 405
    plane.admit()  # 503; more calls than this process may have
    gw = plane.snapshots.current.gateway(ex) or await plane.default.make(ex)  # 400/2001
    ex.caller = gw.auth.identify(ex)  # 401/2009; from the headers alone
    plane.seat(ex)  # 503; more than its gateway's share of them
    ex.options = gw.options.read(ex.request, ex.warnings)  # what it asks for itself
    ex.itinerary = gw.routing.itinerary(ex)  # 400/2008; which steps, in which order
    await gw.tokens.admit(ex)  # 429/2003; as often as its token allows
    await gw.limits.admit(ex)  # 429/2003
    await gw.intake.read(ex)  # 408, 413; the body is here, or streams
    if ex.request.surface.kind == RUN and (told := await plane.background.begun(ex, gw, plane, attempt)):
        return told  # what runs has only begun
    return gw.models.listed(ex, gw.keys) or await steps.run(ex, gw, attempt)  # until one answers


async def attempt(step: Step, gw: CompiledGateway) -> Reply:
    """One step from the cache to its reply."""
    await gw.intake.look(step)
    gw.tokens.check(step)  # 403/2011; before the cache, whose answers are of models too
    gw.keys.choose(step)  # 400/2040, 401/2009; which credential is to travel
    if hit := await gw.cache.lookup(step):  # a hit skips what follows
        return gw.meter.count(step, hit)
    await gw.policies.check(step)  # 403
    await gw.spend.admit(step)  # 429/2045
    await gw.dlp.inspect_request(step)  # 400/2029
    await gw.guard.inspect_request(step)  # 424/2016
    await gw.translation.request(step)  # 400/2019
    gw.ask_usage.ask(step)
    await gw.keys.apply(step)
    reply = await gw.calls.run(step)  # 502, 504/2005
    reply = gw.meter.count(step, reply)  # the provider's bytes
    reply = gw.ask_usage.hide(step, reply)
    reply = await gw.translation.reply(step, reply)  # the client's dialect from here
    reply = enveloped(step, reply)
    reply = await gw.dlp.inspect_reply(step, reply)  # 400/2030
    reply = await gw.guard.inspect_reply(step, reply)  # 424/2017
    reply = gw.transcript.keep(step, reply)  # the client's bytes, for the log
    return gw.cache.capture(step, reply)
