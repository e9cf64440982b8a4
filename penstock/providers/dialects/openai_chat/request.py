"""What a request of OpenAI chat asks for."""

from penstock.core.codec import DecodeError, Raw, Struct, decoder
from penstock.model.usage import Asked
from penstock.providers.dialects._shapes.asked import ask_of, asked_of
from penstock.providers.dialects._shapes.values import NOTHING, is_true, short


class _Options(Struct):
    include_usage: Raw = NOTHING


_decode_options = decoder(_Options).decode


def asked(body: bytes) -> Asked:
    """What a request body asks for."""
    ask = ask_of(body)
    if ask is None:
        return Asked()
    stream = is_true(ask.stream)
    return asked_of(ask, stream, stream and _includes_usage(ask.stream_options))


def _includes_usage(options: Raw) -> bool:
    try:
        return is_true(_decode_options(short(options)).include_usage)
    except DecodeError:
        return False
