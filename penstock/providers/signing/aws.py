"""AWS Signature Version 4, by botocore's signer (extra ``aws``)."""

import asyncio
from functools import cache
from importlib import import_module
from typing import Any, cast
from urllib.parse import quote, unquote_to_bytes

from penstock.core.errors import NoCredential
from penstock.model.credential import Credential
from penstock.model.outgoing import Outgoing
from penstock.model.plan import Target
from penstock.providers.credential_json import AwsCredential, read
from penstock.providers.signing import Signer

_AT_ONCE = 1 << 16  # bytes of a body that are hashed on the loop
_SIGNED = frozenset({b"content-type"})  # with the host, and headers of AWS's own
MISSING = "botocore is not installed: install penstock[aws]."


class AwsSigner(Signer):
    """Signs the request as it is: method, address, body, ``host``, ``content-type`` and ``x-amz-*``."""

    async def sign(self, outgoing: Outgoing, target: Target, credential: Credential) -> None:
        if outgoing.stream is not None:
            raise NoCredential("The request body is too large to be signed.")
        try:
            key = cast("AwsCredential", read("aws", credential.secret))
        except ValueError as error:
            raise NoCredential(f"The key {credential.alias!r} {error}.") from None
        outgoing.path = _encoded(outgoing.path)
        if _library.cache_info().currsize and len(outgoing.body) <= _AT_ONCE:
            _sign(outgoing, target, key)
        else:  # the library takes most of a second to import
            await asyncio.to_thread(_sign, outgoing, target, key)


def _sign(outgoing: Outgoing, target: Target, key: AwsCredential) -> None:
    auth, awsrequest, credentials = _library()
    url = b"https://" + outgoing.host + outgoing.path + outgoing.query
    headers = {
        name.decode("latin-1"): value.decode("latin-1")
        for name, _, value in outgoing.headers
        if name in _SIGNED or name.startswith(b"x-amz-")
    }
    request = awsrequest.AWSRequest(outgoing.method.decode(), url.decode("latin-1"), headers, outgoing.body)
    owner = credentials.Credentials(key.access_key_id, key.secret_access_key, key.session_token)
    auth.SigV4Auth(owner, target.service, target.region or key.region).add_auth(request)
    for name, value in request.headers.items():
        if name.lower() not in headers:
            outgoing.put(name.lower().encode(), value.encode())


@cache
def _library() -> tuple[Any, Any, Any]:
    """The modules: an extra, and slow to import. Raises NoCredential where it is not installed."""
    try:
        return (
            import_module("botocore.auth"),
            import_module("botocore.awsrequest"),
            import_module("botocore.credentials"),
        )
    except ImportError:
        raise NoCredential(MISSING) from None


def _encoded(path: bytes) -> bytes:
    """The path with every segment encoded in the one way that the signature is made of."""
    return b"/".join(quote(unquote_to_bytes(segment), safe="-_.~").encode() for segment in path.split(b"/"))
