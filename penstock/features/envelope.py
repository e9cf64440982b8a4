"""Answers of ``run`` in the envelope of the API: ``{success, errors, messages, result}``. Streams, and what is no JSON,
stay as they are.
"""

from penstock.core.codec import encode
from penstock.core.errors import ProviderBroke
from penstock.core.headers import Headers
from penstock.model.credential import BYOK, REQUEST, WHOLESALE
from penstock.model.reply import Reply, Stage
from penstock.model.step import Step
from penstock.providers.dialects import DIALECTS

_BAD = 400
_CODES = {400: 7003, 401: 2009, 403: 2009}
_FAILED = 2005
_SOURCES = {REQUEST: b"Request", BYOK: b"BYOK", WHOLESALE: b"Unified"}
_SPACE = b" \t\r\n"
_MOST = 64 * 1024  # bytes of an error that are read
_STALE = frozenset({b"content-type", b"content-length", b"content-encoding", b"content-md5", b"digest", b"etag"})


def enveloped(step: Step, reply: Reply) -> Reply:
    """The stage on the line. Raises ProviderBroke for an answer that cannot be read."""
    if not step.wraps or not step.answered:
        return reply
    kind = (reply.header(b"content-type") or b"").lower()
    fails = reply.status >= _BAD
    if not fails and not kind.startswith(b"application/json"):
        return reply
    if reply.header(b"content-encoding") not in (None, b"identity"):
        raise ProviderBroke("The provider encoded its answer against our wish, so it could not be read.")
    reply.length = None
    reply.put(_Failure(_dialect(step), reply.status) if fails else _Result(_source(step)), changes=True)
    headers: Headers = [header for header in reply.headers if header[0] not in _STALE]
    reply.headers = [*headers, (b"content-type", b"content-type", b"application/json")]
    return reply


def _dialect(step: Step) -> str:
    assert step.target is not None
    return step.translation.client if step.translation is not None else step.target.endpoint.dialect


def _source(step: Step) -> bytes:
    key = step.decisions.key
    return _SOURCES[REQUEST if key is None else key.source]


class _Result(Stage):
    """Puts the envelope around an answer as it passes, and whose key it was into the answer, if that is an object."""

    __slots__ = ("_begun", "_held", "_source")

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._held = b""
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        if self._begun:
            return data
        self._held += data
        text = self._held.lstrip(_SPACE)
        more = text[1:].lstrip(_SPACE)
        if not more:  # too little to see what it is
            return b""
        return self._begin(text, more)

    def end(self) -> bytes:
        text = self._held.strip(_SPACE)
        rest = b"" if self._begun else self._begin(text or b"null", b"")
        return rest + b"}"

    def _begin(self, text: bytes, more: bytes) -> bytes:
        self._begun, self._held = True, b""
        if text[:1] == b"{":
            comma = b"" if more[:1] == b"}" else b","
            text = b'{"gatewayMetadata":{"keySource":"%b"}%b%b' % (self._source, comma, more)
        return b'{"success":true,"errors":[],"messages":[],"result":' + text


class _Failure(Stage):
    """Holds the body of an error back, and tells it in the envelope."""

    __slots__ = ("_dialect", "_held", "_status")

    def __init__(self, dialect: str, status: int) -> None:
        self._dialect = dialect
        self._status = status
        self._held = bytearray()

    def feed(self, data: bytes) -> bytes:
        self._held += data[: _MOST - len(self._held)]
        return b""

    def end(self) -> bytes:
        provider = DIALECTS[self._dialect].provider if self._dialect else None
        provider = provider or DIALECTS["openai_chat"].provider
        assert provider is not None
        message = provider.read_failure(bytes(self._held)).message
        errors = [{"code": _CODES.get(self._status, _FAILED), "message": message}]
        return encode({"success": False, "errors": errors, "messages": [], "result": None})
