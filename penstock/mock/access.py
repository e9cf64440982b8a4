"""Which credentials the simulated providers take, where they are asked to look at them."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from penstock.mock import assertions, dispatch, signatures
from penstock.mock.answer import Answer, Fault
from penstock.mock.request import Request
from penstock.mock.signatures import AccessKey, Signed
from penstock.providers import catalog


class Access:
    """``keys``: plain ones, that every provider takes; ``signers``: AWS access keys, by id; ``accounts``: Google's
    service accounts, by address.

    A provider that none of them concerns takes any credential, and none.
    """

    def __init__(
        self,
        keys: Iterable[str] = (),
        signers: Mapping[str, AccessKey] | None = None,
        accounts: Mapping[str, RSAPublicKey] | None = None,
    ) -> None:
        self._keys = frozenset(keys)
        self._signers = signers or {}
        self._accounts = accounts or {}
        tokens = frozenset(assertions.token(email, key) for email, key in self._accounts.items())
        self._taken = {"": self._keys, "aws": self._keys, "google": self._keys | tokens}
        self._guarded = {
            "": bool(self._keys),
            "aws": bool(self._keys or self._signers),
            "google": bool(self._keys or self._accounts),
        }

    @property
    def looks(self) -> bool:
        """Whether there is any provider whose credentials are looked at."""
        return any(self._guarded.values())

    def answer(self, request: Request) -> Answer | None:
        """The refusal of a request, or an access token; None: its provider answers."""
        path, _, query = request.target.partition(b"?")
        if path == assertions.PATH and self._accounts and request.method == "POST":
            host = next((value for name, value in request.headers if name.lower() == b"host"), b"")
            return assertions.exchange(request.body(), (host + path).decode("latin-1"), self._accounts)
        row = catalog.load().get(path.split(b"/", 2)[1].decode("latin-1") if path.startswith(b"/") else "")
        if row is None or not self._guarded[row.credential_json]:
            return None
        given = _credential(row, request, query)
        if row.credential_json == "aws" and given.startswith(signatures.ALGORITHM) and self._signers:
            if not request.complete:
                request.discard()
                return dispatch.refuse(request.target, 400, "x-mock-echo: the signature of this body is checked first")
            fault = self._unsigned(row, request)
        elif not given:
            fault = Fault.MISSING
        else:
            fault = None if given in self._taken[row.credential_json] else Fault.WRONG
        return None if fault is None else dispatch.deny(request.target, fault)

    def _unsigned(self, row: catalog.Provider, request: Request) -> Fault | None:
        digest = request.digest.hexdigest() if request.digest else hashlib.sha256(request.body()).hexdigest()
        signed = Signed(request.method, request.target, request.headers, digest)
        services = frozenset(route.service for route in row.routes)
        return signatures.fault(signed, self._signers, services, datetime.now(UTC))


def read(keys: Iterable[str], signers: Iterable[str], accounts: Iterable[str]) -> Access | None:
    """From the flags: keys, ``ID:SECRET`` or ``ID:SECRET:TOKEN``, ``EMAIL:FILE``. None: nothing is looked at.

    Raises ValueError, which names the flag and shows no secret.
    """
    made = Access(keys, dict(map(_signer, signers)), dict(map(_account, accounts)))
    return made if made.looks else None


def _signer(text: str) -> tuple[str, AccessKey]:
    name, _, rest = text.partition(":")
    secret, _, token = rest.partition(":")
    if not name or not secret:
        raise ValueError("--check-signatures: must be ID:SECRET, or ID:SECRET:TOKEN for a session")
    return name, AccessKey(secret, token)


def _account(text: str) -> tuple[str, RSAPublicKey]:
    email, _, file = text.partition(":")
    try:
        return email, assertions.public_key(Path(file).read_bytes())
    except (OSError, ValueError) as error:
        raise ValueError(
            f"--check-assertions: must be EMAIL:FILE, a file with a public key or certificate in PEM: {error}"
        ) from None


def _credential(row: catalog.Provider, request: Request, query: bytes) -> str:
    """The key that a request bears, in the first place that has one; empty: none. A signature is given whole."""
    headers = {name.lower(): value.decode("latin-1") for name, value in reversed(request.headers)}
    scheme = f"{row.credential_scheme} ".lower()
    for name in row.credential_headers:
        value = headers.get(name.encode(), "")
        if value:
            named = name == "authorization" and value.lower().startswith(scheme)
            return value[len(scheme) :].strip() if named else value
    given = parse_qs(query.decode("latin-1"))
    return next((given[name][0] for name in row.credential_parameters if name in given), "")
