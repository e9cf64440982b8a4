import math

import openai
import pytest


@pytest.fixture
async def embedder(server):
    # not strict: the SDK asks for base64 and unpacks it, and its strict mode refuses what it asked for
    async with openai.AsyncOpenAI(api_key="sk-test", base_url=f"{server.url}/openai", max_retries=0) as sdk:
        yield sdk


async def test_an_embedding_is_a_unit_vector_made_of_the_text(embedder):
    first, other = [
        (await embedder.embeddings.create(model="text-embedding-3-small", input=text)).data[0].embedding
        for text in ("hello", "other")
    ]
    assert len(first) == 1536
    assert math.hypot(*first) == pytest.approx(1, abs=1e-5)
    assert abs(sum(a * b for a, b in zip(first, other, strict=True))) < 0.2


async def test_both_encodings_tell_the_same_numbers(embedder):
    asked = {"model": "text-embedding-3-small", "input": ["a", "b"], "dimensions": 8}
    plain = await embedder.embeddings.create(**asked, encoding_format="float")
    packed = await embedder.embeddings.create(**asked)  # the SDK asks for base64
    for one, other in zip(plain.data, packed.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-7)
        assert one.index == other.index


@pytest.mark.parametrize(
    ("given", "vectors", "tokens"),
    [("hello", 1, 2), (["hello", "hi"], 2, 3), ([1, 2, 3], 1, 3), ([[1, 2, 3], [4]], 2, 4)],
)
async def test_texts_and_tokens_are_counted(embedder, given, vectors, tokens):
    answer = await embedder.embeddings.create(model="text-embedding-3-large", input=given)
    assert [len(one.embedding) for one in answer.data] == [3072] * vectors
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (tokens, tokens)


@pytest.mark.parametrize(
    ("field", "value"), [("dimensions", 0), ("dimensions", 5000), ("encoding_format", "hex"), ("input", [])]
)
async def test_what_cannot_be_embedded_is_refused_by_name(client, field, value):
    asked = {"model": "text-embedding-3-small", "input": "hello", field: value}
    answer = await client.post("/openai/embeddings", json=asked)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["message"]


async def test_controls_of_text_do_not_act_here_and_say_so(embedder):
    with pytest.raises(openai.BadRequestError, match="x-mock-size: this answer has no text"):
        await embedder.embeddings.create(model="m", input="hello", extra_headers={"x-mock-size": "5"})
