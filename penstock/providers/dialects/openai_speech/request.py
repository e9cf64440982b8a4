"""What a request for speech asks for, and how many characters are to be spoken."""

from penstock.core.codec import DecodeError, Raw, Struct, decoder
from penstock.model.usage import Asked, Used
from penstock.providers.dialects._shapes.bodies import read
from penstock.providers.dialects._shapes.values import NOTHING, name
from penstock.providers.kinds import CHARACTERS


class _Request(Struct):
    model: Raw = NOTHING
    input: Raw = NOTHING
    stream_format: Raw = NOTHING


_decode = decoder(_Request).decode
_decode_text = decoder(str).decode


def asked(body: bytes) -> Asked:
    """What a request body asks for. Characters of a body that is too large to be read whole are not known."""
    ask = read(body, _decode, (b"model", b"stream_format"))
    if ask is None:
        return Asked()
    stream = name(ask.stream_format) == "sse"
    spoken = _length(ask.input)
    return Asked(name(ask.model), stream, stream, used=(Used(CHARACTERS, spoken),) if spoken else ())


def _length(text: Raw) -> int:
    try:
        return len(_decode_text(text)) if len(text) else 0
    except DecodeError:
        return 0
