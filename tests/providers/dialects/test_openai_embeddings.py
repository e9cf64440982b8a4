"""OpenAI embeddings: input only, never a stream."""

from penstock.model.usage import Asked
from penstock.providers.dialects.openai_embeddings import OpenAIEmbeddings
from tests.kit.accounts import used

EMBEDDINGS = OpenAIEmbeddings()


def test_an_answer() -> None:
    body = b'{"object":"list","data":[{"embedding":[0.1]}],"model":"e","usage":{"prompt_tokens":8,"total_tokens":8}}'
    reported = EMBEDDINGS.reported(body)
    usage, kinds, _ = used(EMBEDDINGS, reported)
    assert usage is not None
    assert (reported.model, usage.tokens_in, usage.tokens_out, kinds) == ("e", 8, 0, {"input": 8})


def test_what_a_request_asks() -> None:
    assert EMBEDDINGS.asked(b'{"model":"e","input":"x","stream":true}') == Asked("e")
    assert EMBEDDINGS.ask_usage(b'{"model":"e","stream":true}') is None
