"""Wire dialects: what can be learnt from a body in one provider family's format. Pure functions over bytes."""

from typing import Protocol

from penstock.core.errors import PenstockError
from penstock.model.usage import Asked, Reported
from penstock.providers.accounting import Figures
from penstock.providers.dialects.anthropic import Anthropic
from penstock.providers.dialects.openai_chat import OpenAIChat
from penstock.providers.dialects.openai_embeddings import OpenAIEmbeddings
from penstock.providers.dialects.openai_responses import OpenAIResponses


class StreamReader(Protocol):
    """Reads a stream event by event, from the side."""

    def dull(self, data: bytes) -> bool:
        """Whether none of the whole SSE events in ``data`` says anything of the call; they need not be cut then."""
        ...

    def event(self, data: bytes) -> None:
        """Takes one SSE event, with or without its blank line. Never raises."""
        ...

    def reported(self) -> Reported:
        """What the stream has said of itself so far."""
        ...


class Dialect(Protocol):
    """One wire format. No method raises on strange bytes: what cannot be read is simply not learnt."""

    name: str
    asks: bool  # whether its streams can be asked for usage
    figures: Figures  # what its usage objects call their figures

    def asked(self, body: bytes) -> Asked:
        """What a request body asks for."""
        ...

    def reported(self, body: bytes) -> Reported:
        """What a complete, decoded answer says of itself."""
        ...

    def reported_edges(self, head: bytes, tail: bytes) -> Reported:
        """The same of an answer too large to be held: of its first and its last bytes."""
        ...

    def reader(self) -> StreamReader:
        """A reader for one streamed answer."""
        ...

    def ask_usage(self, body: bytes) -> bytes | None:
        """The body with a request for the usage frame spliced in; None where there is nothing to ask."""
        ...

    def error_frame(self, error: PenstockError) -> bytes:
        """The frame that tells the client of a stream that it broke; complete with its blank line."""
        ...


_ALL: tuple[Dialect, ...] = (OpenAIChat(), OpenAIResponses(), OpenAIEmbeddings(), Anthropic())

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in _ALL}
