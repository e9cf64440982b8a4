"""The table of surfaces: which addresses the data plane serves, and how each is read (docs/endpoints.md).

====================================================  =========  ============================================
address                                               surface    account, gateway, provider
====================================================  =========  ============================================
``/v1/{account}/{gateway}/{provider}/{path}``         native     from the address
``/v1/{account}/{gateway}/compat/{path}``             compat     from the address; the body names provider and model
``/v1/{account}/{gateway}`` and with a slash behind   universal  from the address; each step names a provider
``/client/v4/accounts/{account}/ai/{path}``           rest       account; header, else ``default``; the model's name
====================================================  =========  ============================================

Nothing of an address is decoded, but for slashes in a model's name below ``run/``.
"""

import re
from functools import lru_cache

from msgspec.structs import replace

from penstock.core.errors import MethodNotAllowed, UnknownPath
from penstock.model.request import Request
from penstock.model.surface import NATIVE, Surface
from penstock.model.token import Scope
from penstock.providers import unified

V1 = b"/v1/"
_GET, _POST = frozenset({b"GET"}), frozenset({b"POST"})
_REST = re.compile(rb"/client/v4/accounts/([^/?]*)/ai/")
_WORKERS = re.compile(rb"run/@cf/[^/]+/[^/]+")
_RUN = re.compile(rb"run(?:/[^/@]+/.+)?")
_SLASH = re.compile(rb"%2[Ff]")
_GATEWAY = b"cf-aig-gateway-id"
_PARTS = 5  # of an address that ends with its provider: nothing, v1, account, gateway, provider

COMPAT = b"compat"  # in the place of a provider
UNIFIED = Surface("compat", steps="unified", methods=_POST)
UNIVERSAL = Surface("universal", steps="universal", methods=_POST)
REST = Surface(
    "rest",
    methods=_POST,
    scopes=frozenset({Scope.RUN, Scope.WORKERS}),
    closed=True,
    api=True,
    codes={2004: 7003, 2006: 7001, 2009: 10000, 2019: 7003},
)
GEMINI = replace(UNIFIED, kind=unified.CHAT, dialect=unified.GEMINI)
RUN = replace(REST, steps="rest", kind="run")


def find(target: bytes) -> Surface | None:
    """The surface that a request target belongs to; None: it is the control plane's.

    A universal address is told from a native one by ``read``; until then they do not differ.
    """
    if target.startswith(V1) or target.partition(b"?")[0] == V1[:-1]:
        return NATIVE
    return REST if _REST.match(target) else None


def read(request: Request) -> None:
    """Fills in the request's address and surface from its raw target. Raises UnknownPath, MethodNotAllowed."""
    if request.target.startswith(V1):
        _read_v1(request)
    else:
        _read_rest(request)
    methods = request.surface.methods
    if methods and request.method not in methods:
        raise MethodNotAllowed(f"This address takes {b', '.join(sorted(methods)).decode()} only.")


def _read_v1(request: Request) -> None:
    path, mark, query = request.target.partition(b"?")
    request.query = mark + query
    request.path = path
    try:
        _, _, account, gateway, provider, rest = path.split(b"/", 5)
    except ValueError:
        account, gateway, provider = _shorter(path)
        rest = b""
        if not provider:
            request.surface = UNIVERSAL
    request.account = account.decode("latin-1")
    request.gateway = gateway.decode("latin-1")
    request.provider = provider.decode("latin-1")
    request.path = rest
    if provider == COMPAT:
        request.surface = GEMINI if unified.in_path(rest) is not None else _unified(rest)


@lru_cache(maxsize=64)
def _unified(path: bytes) -> Surface:
    kind, dialect = unified.compat(path)
    return _asked(UNIFIED, kind, dialect)


def _shorter(path: bytes) -> list[bytes]:
    """Account, gateway and provider (empty: none) of an address that ends there. Raises UnknownPath."""
    parts = path.split(b"/")
    if len(parts) == _PARTS - 1:  # without the slash behind the gateway
        parts.append(b"")
    if len(parts) != _PARTS or not parts[-2]:
        raise UnknownPath
    return parts[2:]


def _read_rest(request: Request) -> None:
    path, mark, query = request.target.partition(b"?")
    request.query = mark + query
    request.path = path
    found = _REST.match(path)
    if found is None:
        raise UnknownPath
    request.surface = REST
    rest = path[found.end() :]
    if rest.startswith(b"run/"):  # SDKs write a model's name as one segment
        rest = _SLASH.sub(b"/", rest)
    request.path = rest
    if _WORKERS.fullmatch(rest) is not None:
        request.provider = "workers-ai"
    elif _RUN.fullmatch(rest) is not None:
        request.surface = RUN
    else:
        request.surface = _inference(rest)
    request.account = found[1].decode("latin-1")
    request.gateway = (request.header(_GATEWAY) or b"default").decode("latin-1")


@lru_cache(maxsize=64)
def _inference(path: bytes) -> Surface:
    kind, dialect = unified.rest(path)
    return _asked(RUN, kind, dialect)


def _asked(surface: Surface, kind: str, dialect: str) -> Surface:
    if kind == unified.MODELS:
        return replace(surface, steps="models", methods=_GET, kind=kind)
    return replace(surface, kind=kind, dialect=dialect)
