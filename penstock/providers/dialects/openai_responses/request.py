"""What a request of OpenAI responses asks for."""

from penstock.model.usage import Asked
from penstock.providers.dialects._shapes.asked import asked_of_reporting


def asked(body: bytes) -> Asked:
    """What a request body asks for."""
    return asked_of_reporting(body)
