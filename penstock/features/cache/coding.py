"""A cached answer in a content coding that its next client takes."""

from penstock.core.errors import ProviderBroke
from penstock.model.exchange import Exchange
from penstock.model.reply import Reply
from penstock.wire.encodings import Decoder, acceptable, decoder

_MOST = 64 << 20  # bytes that one frame may become: whoever encoded it may mean harm


def in_coding(ex: Exchange, reply: Reply) -> Reply | None:
    """The reply in a coding that the client takes; None: there is none."""
    coding = b", ".join([value for lower, _, value in reply.headers if lower == b"content-encoding"])
    if not coding or acceptable(coding, ex.request.header(b"accept-encoding")):
        return reply
    decode = decoder(coding, _MOST)
    if decode is None:
        return None
    reply.headers = [header for header in reply.headers if header[0] != b"content-encoding"]
    reply.length = None
    reply.stages.append(_Decode(decode))
    return reply


class _Decode:
    """The stage that takes a coding off."""

    def __init__(self, decode: Decoder) -> None:
        self._decode = decode

    def feed(self, data: bytes) -> bytes:
        data = self._decode.feed(data)
        if self._decode.failed:
            raise ProviderBroke
        return data

    def end(self) -> bytes:
        return self._decode.end()
