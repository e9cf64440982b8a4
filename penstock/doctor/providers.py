"""Whether providers can be reached from here: name, address rules, TCP, TLS, an answer. No credential is sent."""

import asyncio
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from functools import partial

from penstock.core.errors import AddressRefused, ProviderFailure
from penstock.core.proxies import Proxies, authority
from penstock.doctor import clock
from penstock.doctor.finding import Finding, Findings, Subject, ok, problem, warning
from penstock.doctor.outside import outside
from penstock.gateway.compile import operators, own_prices, upstreams
from penstock.model.outgoing import Outgoing
from penstock.model.plan import Origin
from penstock.model.reply import Reply
from penstock.providers.key_check import unanswered
from penstock.providers.upstream import Upstream

_NEVER = "Give it another base_url: link-local addresses and those of a cloud's metadata are never called."
_REFUSED = "Set base_url in the configuration file, which is trusted, or add the network to allowed_networks."
_AWAY = "Check name resolution, firewall and HTTPS_PROXY of this machine; `curl -v` to that address tells more."


def checks(subject: Subject) -> Mapping[str, Callable[[Subject], Findings]]:
    """A check for each provider that is to be looked at, by its name. What is overridden, or every row."""
    try:
        known = upstreams(subject.settings.providers)
        operators(subject.settings.provider_keys)
        own_prices(subject.settings)
        Proxies.read(subject.environ)
    except ValueError as error:
        return {"providers": partial(_wrong, str(error))}
    wanted = {upstream.provider.id: upstream for upstream in known.values() if upstream.moved or subject.all_providers}
    return {f"provider {slug}": partial(_reach, upstream) for slug, upstream in sorted(wanted.items())}


def _wrong(reason: str, _subject: Subject) -> Findings:
    yield problem("providers", f"{reason.rstrip('.')}.", "Correct it: the server would not start.")


def _reach(upstream: Upstream, subject: Subject) -> Findings:
    name = f"provider {upstream.provider.id}"
    if not upstream.origins:
        yield ok(name, "Where its calls go depends on their paths: there is no one address to look at.")
    for origin in upstream.origins:
        yield from asyncio.run(_ask(name, origin, subject, certain=upstream.moved))


async def _ask(name: str, origin: Origin, subject: Subject, *, certain: bool) -> list[Finding]:
    """``certain``: the operator uses this provider, so that it is a problem if it cannot be reached."""
    where, patience = authority(origin.host, origin.port), subject.patience
    with outside(subject.settings, subject.environ, patience) as (dialer, transport):
        proxy = dialer.proxy(origin)
        begun = time.monotonic()
        try:
            async with asyncio.timeout(patience):
                reply = await transport.send(_head(origin), patience)
            took = f"{(time.monotonic() - begun) * 1000:.0f} ms"
            skew = _skew(reply)
            reply.body.close()
        except (ProviderFailure, TimeoutError) as error:
            reason = unanswered(error, patience)
            kind = problem if certain else warning
            remedy = _AWAY
            if isinstance(error, AddressRefused):
                remedy = _NEVER if origin.trusted else _REFUSED
            return [kind(name, f"{where} cannot be reached: {reason}.", remedy)]
    way = f" through the proxy {proxy.name}" if proxy else ""
    found = [ok(name, f"{where} answers{way}, within {took}.")]
    if skew is not None and abs(skew) > clock.MOST:
        found.append(clock.difference(where, skew))
    return found


def _head(origin: Origin) -> Outgoing:
    """The least that an HTTP server answers, whatever it thinks of it."""
    standard = 443 if origin.tls else 80
    host = origin.host if origin.port == standard else authority(origin.host, origin.port)
    headers = [(b"user-agent", b"user-agent", b"penstock-doctor"), (b"connection", b"connection", b"close")]
    return Outgoing(origin, b"HEAD", host.encode(), b"/", headers=headers)


def _skew(reply: Reply) -> float | None:
    """Seconds by which the provider's clock is ahead of ours; None: it does not say."""
    date = reply.header(b"date")
    try:
        theirs = parsedate_to_datetime((date or b"").decode("latin-1")).timestamp() + 0.5  # it is cut to whole seconds
    except ValueError:
        return None
    return theirs - time.time_ns() / 1e9
