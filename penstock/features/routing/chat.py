"""A call to the unified API, as its routings hand it to one another."""

from typing import NamedTuple, Protocol

from penstock.model.request import Request
from penstock.model.step import Step
from penstock.model.usage import Asked

CREDENTIALS = (b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key")  # where a client puts its provider's key


class Chat(NamedTuple):
    """``name``: provider and model; ``asked``: what the body asks for; ``at``: where a form has the name.

    ``wraps``: the answer goes into the envelope of the API.
    """

    kind: str
    dialect: str  # of a chat
    name: str
    body: bytes
    asked: Asked
    at: slice | None = None
    wraps: bool = False


class Sender(Protocol):
    """Says where calls go."""

    def send(self, step: Step, request: Request, call: Chat) -> None:
        """Fills in the step. Raises MalformedChat, InvalidProvider, InvalidPath, Overloaded."""
        ...
