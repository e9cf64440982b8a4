"""Data-plane addresses: ``/v1/{account}/{gateway}/{provider}/…`` (specification of the data plane, 1)."""

from penstock.core.errors import UnknownPath
from penstock.model.request import Request

PREFIX = b"/v1/"


def read(request: Request) -> None:
    """Fills the request's address from its raw target. Nothing is decoded. Raises UnknownPath."""
    path, mark, query = request.target.partition(b"?")
    request.query = mark + query
    request.path = path
    try:
        _, _, account, gateway, provider, rest = path.split(b"/", 5)
    except ValueError:
        raise UnknownPath(_shorter(path)) from None
    request.account = account.decode("latin-1")
    request.gateway = gateway.decode("latin-1")
    request.provider = provider.decode("latin-1")
    request.path = rest


def _shorter(path: bytes) -> str:
    parts = path.strip(b"/").count(b"/")
    if parts == 2:  # noqa: PLR2004  /v1/{account}/{gateway}: the universal endpoint's address
        return "Not found: name a provider after the gateway: /v1/{account}/{gateway}/{provider}/…"
    return ""
