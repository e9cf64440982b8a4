"""What requests of these dialects have in common: a model, and whether the answer shall be a stream."""

from penstock.core.codec import Raw, Struct, decoder
from penstock.model.usage import Asked
from penstock.providers.dialects._shapes.bodies import read, read_edges
from penstock.providers.dialects._shapes.values import NOTHING, is_true, name


class Ask(Struct):
    """A request body."""

    model: Raw = NOTHING
    stream: Raw = NOTHING
    stream_options: Raw = NOTHING


_decode = decoder(Ask).decode
_MEMBERS = (b"stream_options", b"stream", b"model")


def ask_of(body: bytes) -> Ask | None:
    """What is read of a request body; None where it is no JSON object, as far as it is looked at."""
    return read(body, _decode, _MEMBERS)


def ask_of_edges(head: bytes, tail: bytes) -> Ask | None:
    """The same of a large body's edges; without ``tail``, of a whole body."""
    return read_edges(head, tail, _decode, _MEMBERS) if tail else ask_of(head)


def asked_of_reporting(body: bytes) -> Asked:
    """What a body asks for, where the dialect's streams report usage without being asked."""
    ask = ask_of(body)
    if ask is None:
        return Asked()
    stream = is_true(ask.stream)
    return Asked(name(ask.model), stream, stream)
