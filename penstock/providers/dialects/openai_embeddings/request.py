"""What a request of OpenAI embeddings asks for."""

from penstock.model.usage import Asked
from penstock.providers.dialects._shapes.asked import ask_of, asked_of


def asked(body: bytes) -> Asked:
    """What a request body asks for."""
    ask = ask_of(body)
    return Asked() if ask is None else asked_of(ask)
