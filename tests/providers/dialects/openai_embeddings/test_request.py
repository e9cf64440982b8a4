"""What a request of OpenAI embeddings asks for."""

from penstock.model.usage import Asked
from penstock.providers.dialects import DIALECTS

EMBEDDINGS = DIALECTS["openai_embeddings"]


def test_what_a_request_asks() -> None:
    assert EMBEDDINGS.asked(b'{"model":"e","input":"x","stream":true}') == Asked("e")
    assert EMBEDDINGS.usage_frame is None
