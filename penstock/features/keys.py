"""Which credential travels: the client's own, or a stored key, or the operator's key, or none.

``choose`` writes ``credential`` and ``decisions.key`` before the cache is asked, whose key holds alias and generation
in place of a value; and ``target``, where the key tells its region or project. ``apply`` puts the credential into what
is sent. A key of ours goes only with a call whose token opens the gateway: any other call is refused (401/2009). Where
the call allows no key that there is: 400/2040.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import NoReturn
from urllib.parse import quote

from penstock.core.errors import NoCredential, Unauthorized
from penstock.model.credential import BYOK, Credential, StoredKey
from penstock.model.decision import KeyDecision
from penstock.model.plan import Target
from penstock.model.step import Step
from penstock.providers.catalog import Provider
from penstock.providers.compose import outgoing
from penstock.providers.credential_json import is_json, read
from penstock.providers.signing import Signer
from penstock.providers.templates import fill, safe
from penstock.providers.upstream import credential_header
from penstock.providers.zero_retention import ask
from penstock.wire.credentials import stays

DEFAULT = "default"
_UNOPENED = (
    "Unauthorized: a key of this gateway goes only with a call that has a valid gateway token; "
    "send one in cf-aig-authorization."
)


class Keys:
    """``stored``: the gateway's keys; ``operators``: keys of the configuration, by provider; ``signers``: by kind.

    ``byok_only``: no key of the configuration travels, or none to the providers ``byok_only_of``.
    """

    def __init__(
        self,
        stored: Iterable[StoredKey],
        operators: Mapping[str, Credential],
        signers: Mapping[str, Signer],
        *,
        byok_only: bool,
        byok_only_of: Container[str] = (),
    ) -> None:
        self._stored: dict[str, dict[str, Credential]] = {}
        self._defaults: dict[str, Credential] = {}
        self._operators = operators
        self._written: dict[bytes, tuple[bytes, bytes]] = {}  # headers of keys that sign nothing, by mark
        self._signers = signers
        self._byok_only = byok_only
        self._byok_only_of = byok_only_of
        for key in stored:
            mark = f"{key.id}:{key.generation}".encode()
            credential = Credential(BYOK, key.secret, mark, key.alias, key)
            self._stored.setdefault(key.provider, {})[key.alias] = credential
            if key.default or (key.alias == DEFAULT and key.provider not in self._defaults):
                self._defaults[key.provider] = credential

    def reach(self, provider: str, *, by_alias: bool) -> bool:
        """Whether some key goes with calls to a provider; ``by_alias``: they may name it."""
        if provider in (self._stored if by_alias else self._defaults):
            return True
        return provider in self._operators and not self._byok_only and provider not in self._byok_only_of

    def sees(self, step: Step) -> bool:
        """Whether the whole body is needed: a key may be to sign it."""
        return step.target is not None and bool(step.target.service)

    def choose(self, step: Step) -> None:
        """Raises NoCredential, Unauthorized."""
        target = step.target
        assert target is not None
        if not _has_own(step, target):
            self._choose(step, target)
        if target.upstream.added and next(_added(step), None) is not None:
            _require_token(step)
            if step.decisions.key is None and not _has_own(step, target):
                step.decisions.key = KeyDecision(BYOK)
        if step.options.zdr:
            ask(step)

    def _choose(self, step: Step, target: Target) -> None:
        options = step.options
        if options.byok_alias or target.provider in self._defaults:
            chosen = self._stored_key(step, target.provider, options.byok_alias)
        elif target.upstream.added:
            return  # the account's own provider has the account's own headers
        elif self._byok_only or options.no_wholesale or target.provider in self._byok_only_of:
            self._refuse(step, target.provider, "")
        else:
            chosen = self._operators.get(target.provider)
        if chosen is not None:
            _require_token(step)
            step.credential = chosen
            step.decisions.key = KeyDecision(chosen.source, chosen.alias)
            if step.keyed and is_json(target.upstream.provider.credential_json, chosen.secret):
                step.request.path = _told_path(step.keyed, target, chosen)
                step.target = target.upstream.target(step.request.path)

    async def apply(self, step: Step) -> None:
        """Puts the credential that was chosen, and what its provider's calls go with, into what is sent."""
        assert step.target is not None
        if step.target.upstream.added:
            for name, value in [*_added(step)]:
                outgoing(step).put(name, value)
        if (credential := step.credential) is not None:
            if (written := self._written.get(credential.mark)) is None:
                await self._write(step, step.target, credential)
            else:
                outgoing(step).put(*written)

    async def _write(self, step: Step, target: Target, credential: Credential) -> None:
        """Signs the request, or makes the header, which is the same for all calls."""
        provider: Provider = target.upstream.provider
        if is_json(provider.credential_json, credential.secret):
            await self._signers[provider.credential_json].sign(outgoing(step), target, credential)
        else:
            self._written[credential.mark] = written = header(provider, credential.secret)
            outgoing(step).put(*written)

    def _stored_key(self, step: Step, provider: str, alias: str) -> Credential:
        aliases = self._stored.get(provider, {})
        credential = aliases.get(alias) if alias else self._defaults[provider]
        if credential is None:
            self._refuse(step, provider, alias)
        if not credential.secret:
            _require_token(step)
            raise NoCredential(f"The key {credential.alias!r} of provider {provider!r} cannot be used: store it again.")
        return credential

    def _refuse(self, step: Step, provider: str, alias: str) -> NoReturn:
        """Aliases are told only to a caller whose token is valid."""
        if aliases := self._stored.get(provider):
            _require_token(step)
        known = ", ".join(repr(name) for name in sorted(aliases or ())) or "none"
        named = f"named {alias!r}" if alias else "that the call may use"
        raise NoCredential(f"Provider {provider!r} has no BYOK credential {named}. Configured aliases: {known}")


def _require_token(step: Step) -> None:
    """Raises Unauthorized."""
    if step.ex.caller.bearer is None:
        raise Unauthorized(_UNOPENED)


def _has_own(step: Step, target: Target) -> bool:
    """Whether the client sent a credential of its own; placeholders and tokens of ours stay here, and are none."""
    provider: Provider = target.upstream.provider
    first, places = step.request.first, step.places
    for name in target.upstream.credential_headers:
        if name in first and name not in places:
            return True
    if not provider.credential_parameters:
        return step.request.signed()
    query = step.request.query if step.query is None else step.query
    return any(f"{name}=".encode() in query for name in provider.credential_parameters)


def _told_path(path: bytes, target: Target, chosen: Credential) -> bytes:
    """With the parts that the key tells: its region, its project."""
    try:
        parts = read(target.upstream.provider.credential_json, chosen.secret).parts
    except ValueError as error:
        raise NoCredential(f"The key {chosen.alias!r} {error}.") from None
    path = fill(path, {name: quote(value, safe="").encode() for name, value in parts.items()})
    if not safe(path):
        raise NoCredential(f"The key {chosen.alias!r} names no place that a call can go to.")
    return path


def _added(step: Step) -> Iterator[tuple[bytes, bytes]]:
    """The headers of an account's own provider that the client has not sent itself; placeholders count for none."""
    assert step.target is not None
    sent = step.request.first
    for name, value in step.target.upstream.added:
        if name not in sent or name in step.places or stays(name, sent[name], _nobody):
            yield name, value


def _nobody(_: bytes) -> None:
    """Tokens of ours were looked for before."""


def header(provider: Provider, secret: str) -> tuple[bytes, bytes]:
    """The header, lower-case, in which the provider expects a key, and its value."""
    name = credential_header(provider, secret)
    return (
        name.encode(),
        f"{provider.credential_scheme} {secret}".encode() if name == "authorization" else secret.encode(),
    )
