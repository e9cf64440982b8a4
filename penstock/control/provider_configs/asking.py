"""Whether a provider accepts a stored key: it is asked once, by the way that a call takes there."""

import asyncio
import time
from collections.abc import Iterable
from typing import NamedTuple

from penstock.control.context import Context, found
from penstock.control.custom_providers.compile_settings import customs
from penstock.control.gateways.compile_settings import config
from penstock.core.errors import AccountRefused, CallerError, ProviderFailure
from penstock.features.keys import Keys
from penstock.model.body import empty
from penstock.model.credential import BYOK, Credential, StoredKey
from penstock.model.exchange import Exchange
from penstock.model.peek import peek
from penstock.model.reply import Reply
from penstock.model.request import Request
from penstock.model.step import Step
from penstock.ports.transport import Transport
from penstock.providers import custom
from penstock.providers.catalog import Check
from penstock.providers.compose import outgoing
from penstock.providers.key_check import Verdict, address, hidden, judged, shown, unanswered
from penstock.providers.signing.aws import AwsSigner
from penstock.providers.signing.google import GoogleSigner
from penstock.providers.upstream import Upstream
from penstock.storage import definitions

PATIENCE = 10.0  # seconds for each key
_LARGE = 1 << 16  # bytes of an answer that are read
_NOTHING_CHEAP = "no request is known that costs nothing and asks for the key: give one by --path"
_UNKEPT = "its secret cannot be used: store it again"
_OPEN = "it answers the same without a key: give another request by --path"
_GOOD = range(200, 300)


class Tested(NamedTuple):
    """``request``: what was asked; empty where nothing was."""

    key: StoredKey
    verdict: Verdict
    request: str = ""


async def ask(context: Context, gateway_id: str, key_id: str) -> Tested:
    """Of a key of that gateway. Raises NotFound."""
    control = context.control
    assert control.parts is not None
    async with control.database.reading() as connection:
        definition = found(await definitions.of(connection, context.account, gateway_id))
    own = customs(definition.customs, control.vault)
    keys = config(definition, control.vault, own).keys if any(key.id == key_id for key in definition.keys) else ()
    key = found(next((key for key in keys if key.id == key_id), None))
    known = control.parts.upstreams.get(key.provider) or custom.upstreams(own).get(key.provider)
    return await Asker(control.parts.transport, PATIENCE).test(key, known)


class Asker:
    def __init__(self, transport: Transport, patience: float) -> None:
        self._transport = transport
        self._patience = patience
        self._keys = Keys((), {}, {"aws": AwsSigner(), "google": GoogleSigner(transport)}, byok_only=True)

    async def test(self, key: StoredKey, upstream: Upstream | None, path: str | None = None) -> Tested:
        if upstream is None:
            return Tested(key, Verdict("not testable", None, "there is no such provider any more"))
        check = upstream.provider.check if path is None else Check(path)
        if check is None or not key.secret:
            return Tested(key, Verdict("not testable", None, _NOTHING_CHEAP if key.secret else _UNKEPT))
        secret = hidden(upstream.provider, key.secret)
        asked = ""
        try:
            step = _step(upstream, check, key)
            asked = _told(step)
            async with asyncio.timeout(self._patience):
                verdict = await self._verdict(step, check, secret, certain=path is None and not _own(upstream))
        except AccountRefused as error:
            verdict = Verdict("refused", None, error.message)
        except (ProviderFailure, TimeoutError) as error:
            verdict = Verdict("unreachable", None, unanswered(error, self._patience))
        except (CallerError, ValueError) as error:
            verdict = Verdict("not testable", None, str(error))
        return Tested(key, verdict._replace(message=shown(verdict.message, secret)), asked)

    async def _verdict(self, step: Step, check: Check, secret: Iterable[str], *, certain: bool) -> Verdict:
        """``certain``: the request is known to ask for a key; any other is made once more, without one."""
        await self._keys.apply(step)
        found = judged(check, *await self._answer(step), secret)
        if found.outcome == "accepted" and not certain:
            step.outgoing = None
            status, _ = await self._answer(step)
            if status in _GOOD:
                return Verdict("unclear", status, _OPEN)
        return found

    async def _answer(self, step: Step) -> tuple[int, bytes]:
        reply: Reply = await self._transport.send(outgoing(step), self._patience)
        try:
            return reply.status, await peek(reply.body, _LARGE, self._patience)
        finally:
            reply.body.close()


def _step(upstream: Upstream, check: Check, key: StoredKey) -> Step:
    """A call of ours with that key. Raises CallerError, and ValueError where the key cannot be tested."""
    path, query = address(upstream.provider, check, key.secret)
    own = {"accept": "application/json", "user-agent": "penstock", **check.headers}
    headers = [(name.encode(), name.encode(), value.encode()) for name, value in own.items()]
    request = Request(b"GET", b"/" + path + query, headers, empty())
    request.query = query
    step = Exchange(request, time.monotonic()).step
    step.target = upstream.target(path)
    step.credential = Credential(BYOK, key.secret, b"test:" + key.id.encode(), key.alias, key)
    return step


def _told(step: Step) -> str:
    assert step.target is not None
    origin, host = step.target.origin, step.target.host.decode("latin-1")
    target = (step.target.path + step.request.query).decode("latin-1")
    return f"GET {'https' if origin.tls else 'http'}://{host}{target}"


def _own(upstream: Upstream) -> bool:
    """Whether it is an account's own provider: nobody has looked whether its list of models asks for a key."""
    return bool(upstream.mark)
