"""The headers of a custom provider: sealed where they are stored, masks wherever they are shown.

A write that carries the mask keeps the stored value, for the origin it was given for: whoever may change a provider but
does not know its secrets must not be able to have them sent elsewhere.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from penstock.control.gateways.masking import CHANGED
from penstock.control.gateways.schema import MASK
from penstock.control.values import HeaderName, Visible
from penstock.core import codec
from penstock.core.errors import Invalid
from penstock.core.sealing import NotOpened, Vault
from penstock.storage.custom_providers import CustomRow
from penstock.wire.headers import onward

MOST = 64
_PATH = ("body", "headers")
_OURS = frozenset({"accept-encoding", "content-encoding"})  # the client decodes, and says what it sends
_decode = codec.decoder(dict[str, str]).decode
_name, _value = TypeAdapter(HeaderName), TypeAdapter(Visible)


def place(account: str, provider_id: str, name: str) -> tuple[str, ...]:
    """What a value is bound to (``core.sealing``)."""
    return "custom_providers", account, provider_id, name.lower()


def shown(headers: Mapping[str, str] | None, before: Mapping[str, str] | None = None) -> str | None:
    """As they are answered. With ``before``, those that are others than there says so, for the audit trail."""
    if headers is None:
        return None
    old = {name.lower(): value for name, value in (before or {}).items()}
    told = {
        name: CHANGED if name.lower() in old and old[name.lower()] != sealed else MASK
        for name, sealed in headers.items()
    }
    return codec.encode(told).decode()


def parsed(text: str | None) -> dict[str, str] | None:
    """What was sent. Raises Invalid saying which header is wrong, without its value."""
    if not text:
        return None
    try:
        headers = _decode(text)
    except codec.DecodeError:
        raise Invalid("headers: must be a JSON object of texts, as text", path=_PATH) from None
    if len(headers) > MOST:
        raise Invalid(f"headers: there may be {MOST} at most", path=_PATH)
    if len({name.lower() for name in headers}) < len(headers):
        raise Invalid("headers: one is given twice", path=_PATH)
    for name, value in headers.items():
        _check(name, value.strip())
    return {name: value.strip() for name, value in headers.items()} or None


def _check(name: str, value: str) -> None:
    lower = name.lower().encode("utf-8", "replace")
    try:
        _name.validate_python(name)
        travels = bool(onward([(lower, lower, b"x")])) and name.lower() not in _OURS
    except ValidationError:
        travels = False
    if not travels:
        raise Invalid(f"headers: {name[:64]!r} is no name of a header that can be set", path=_PATH)
    try:
        _value.validate_python(value)
    except ValidationError:
        value = ""
    if not value or not onward([(lower, lower, value.encode())]):
        raise Invalid(f"headers: the value of {name!r} must be visible ASCII, and no token of this gateway", path=_PATH)


def sealed(
    vault: Vault, account: str, provider_id: str, base_url: str, sent: Mapping[str, str], stored: CustomRow | None
) -> dict[str, str]:
    """What was sent for ``base_url``, as it is to be stored; a value that is no other stays as it is stored.

    Raises Invalid for a mask that stands for nothing.
    """
    known: dict[str, str] = {}
    if stored is not None and origin(stored.settings["base_url"]) == origin(base_url):
        there: dict[str, str] = stored.settings.get("headers") or {}
        known = {name.lower(): value for name, value in there.items()}
    kept: dict[str, str] = {}
    for name, value in sent.items():
        old, where = known.get(name.lower()), place(account, provider_id, name)
        if value == MASK and old is None:
            raise Invalid(
                f"headers: {MASK} stands for the stored value of {name!r}, but none is stored for this address; "
                "send the value itself",
                path=_PATH,
            )
        same = old is not None and (value == MASK or _opens_to(vault, old, value, where))
        kept[name] = old if same and old is not None else vault.seal(value, *where)
    return kept


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or {"http": 80, "https": 443}.get(scheme)


def _opens_to(vault: Vault, old: str, value: str, where: tuple[str, ...]) -> bool:
    try:
        return vault.open(old, *where) == value
    except NotOpened:  # of another master key: the value that came takes its place
        return False
