"""What a page's JavaScript calls models with (docs/tokens.md, "Passes")."""

from fastapi import Response

from penstock.core import codec, instants, passes
from penstock.dashboard import security
from penstock.dashboard.page import post
from penstock.dashboard.visit import Visit
from penstock.model.token import Scope


async def make(visit: Visit) -> Response:
    """``pass`` goes where a token goes; ``expires_at`` is in milliseconds since the epoch."""
    text, until = passes.new(visit.control.vault, visit.session.token.hash, instants.now())
    told = codec.encode({"pass": text, "expires_at": until})
    return Response(told, 200, security.HEADERS, "application/json")


ROUTES = (post("/ui/pass", make, Scope.RUN, Scope.WORKERS),)
