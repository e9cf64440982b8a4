"""What an answer of OpenAI embeddings used."""

from penstock.providers.dialects import DIALECTS
from tests.kit.accounts import used

EMBEDDINGS = DIALECTS["openai_embeddings"]


def test_an_answer() -> None:
    body = b'{"object":"list","data":[{"embedding":[0.1]}],"model":"e","usage":{"prompt_tokens":8,"total_tokens":8}}'
    reported = EMBEDDINGS.reported(body)
    usage, kinds, _ = used(EMBEDDINGS, reported)
    assert usage is not None
    assert (reported.model, usage.tokens_in, usage.tokens_out, kinds) == ("e", 8, 0, {"input": 8})
