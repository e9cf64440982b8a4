"""A call of the log, as code that makes it again."""

import asyncio
import re
from typing import Any

from penstock.control.logs import service
from penstock.core import codec
from penstock.core.codec import DecodeError
from penstock.core.errors import NotFound
from penstock.dashboard import as_code
from penstock.dashboard.as_code import Key
from penstock.dashboard.playground.surfaces import path_of
from penstock.dashboard.snippets import base
from penstock.dashboard.visit import Visit
from penstock.providers import catalog

LONGEST = 50_000  # bytes of a body that is written out
_NO_NAME = re.compile(r"[^A-Z0-9]+")


async def code(visit: Visit, gateway: str, row: dict[str, Any]) -> list[tuple[str, str]]:
    """Pairs of a language and the code; none where no JSON was posted, its body was not kept, or is too long."""
    if row["method"] != "POST" or row["request_size"] > LONGEST:
        return []
    headers = {"cf-aig-metadata": row["metadata"]} if row["metadata"] else {}
    try:
        stored = await service.body(visit.context, gateway, row["id"], "request", raw=True)
        body = codec.decode(stored.content)
        path = path_of(row)
        place = (base(visit), visit.context.account, gateway, path)
        return await asyncio.to_thread(as_code.snippets, *place, body, headers, key=_key(row))
    except (NotFound, *DecodeError):  # DecodeError: also of what is nested too deeply
        return []


def _key(row: dict[str, Any]) -> Key | None:
    """The provider's key where the caller sent its own."""
    if row["byok"] or row["wholesale"] or row["cached"]:
        return None
    provider = catalog.load().get(row["provider"])
    header, scheme = "authorization", "Bearer"
    if provider is not None and not row["compatibilityMode"]:
        header, scheme = provider.credential_headers[0], provider.credential_scheme
    variable = _NO_NAME.sub("_", row["provider"].upper()).strip("_") or "PROVIDER"
    return Key(header, f"{scheme} " if header == "authorization" else "", f"{variable}_API_KEY")
