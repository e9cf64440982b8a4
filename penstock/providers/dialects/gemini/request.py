"""What a request of Gemini asks for: its path names the model, and whether the answer is a stream."""

from penstock.model.usage import Asked
from penstock.providers.dialects._shapes.asked import ask_of, asked_of


def asked(body: bytes) -> Asked:
    """What a request body asks for. Few clients name the model there too."""
    ask = ask_of(body)
    return Asked() if ask is None else asked_of(ask)
