"""OpenAI embeddings: input only, never a stream."""

from penstock.model.usage import Asked
from penstock.providers.dialects.openai_embeddings import OpenAIEmbeddings

EMBEDDINGS = OpenAIEmbeddings()


def test_an_answer() -> None:
    body = b'{"object":"list","data":[{"embedding":[0.1]}],"model":"e","usage":{"prompt_tokens":8,"total_tokens":8}}'
    reported = EMBEDDINGS.reported(body)
    assert reported.usage is not None
    assert (reported.model, reported.usage.tokens_in, reported.usage.tokens_out) == ("e", 8, 0)


def test_what_a_request_asks() -> None:
    assert EMBEDDINGS.asked(b'{"model":"e","input":"x","stream":true}') == Asked("e")
    assert EMBEDDINGS.ask_usage(b'{"model":"e","stream":true}') is None
