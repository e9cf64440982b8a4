"""Data-plane addresses: ``/v1/{account}/{gateway}/{provider}/…`` (docs/endpoints.md).

Without a slash after the provider it is the provider's root (the same, 12.2).
"""

from penstock.core.errors import UnknownPath
from penstock.model.request import Request

PREFIX = b"/v1/"
_ROOT = b"/v1"
_PARTS = 5  # of an address that ends with its provider: nothing, v1, account, gateway, provider


def is_root(target: bytes) -> bool:
    """Whether a target is the prefix alone, without its slash: no address, but of this plane."""
    return target.partition(b"?")[0] == _ROOT


def read(request: Request) -> None:
    """Fills the request's address from its raw target. Nothing is decoded. Raises UnknownPath."""
    path, mark, query = request.target.partition(b"?")
    request.query = mark + query
    request.path = path
    try:
        _, _, account, gateway, provider, rest = path.split(b"/", 5)
    except ValueError:
        account, gateway, provider = _shorter(path)
        rest = b""
        request.universal = not provider
    request.account = account.decode("latin-1")
    request.gateway = gateway.decode("latin-1")
    request.provider = provider.decode("latin-1")
    request.path = rest


def _shorter(path: bytes) -> list[bytes]:
    """Account, gateway and provider (empty: none) of an address that ends there. Raises UnknownPath."""
    parts = path.split(b"/")
    if len(parts) == _PARTS - 1:  # without the slash behind the gateway
        parts.append(b"")
    if len(parts) != _PARTS or not parts[-2]:
        raise UnknownPath
    return parts[2:]
