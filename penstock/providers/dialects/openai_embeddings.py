"""OpenAI embeddings: as chat, but never streamed."""

from penstock.model.usage import Asked
from penstock.providers.dialects import _shapes
from penstock.providers.dialects.openai_chat import OpenAIChat


class OpenAIEmbeddings(OpenAIChat):
    """The dialect."""

    name = "openai_embeddings"
    asks = False

    def asked(self, body: bytes) -> Asked:
        """What a request body asks for."""
        return Asked(_shapes.asked(body, always=False).model)

    def ask_usage(self, body: bytes) -> bytes | None:
        """Nothing to ask."""
        return None
