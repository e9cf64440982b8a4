"""What depends on nothing but the request, and what does not."""

import gzip
import json

import pytest

from penstock.providers import catalog
from penstock.providers.cacheability import may_be_cached, uses_state
from penstock.providers.upstream import Upstream

ROWS = {row.id: row for row in catalog.load().values()}
KINDS = """
chat.completions fim.completions chat generate completions messages responses embeddings embed rerank
models.generateContent models.streamGenerateContent models.embedContent models.batchEmbedContents models.predict
models.rawPredict models.streamRawPredict converse converse-stream invoke invoke-with-response-stream
images.generations images.edits images.variations
audio.speech tts.bytes tts.sse speak text-to-speech text-to-speech.stream text-to-speech.with-timestamps
"""  # of operations that answer by the request alone, by the names that rows give them
PADDING = {"input": "x" * 600_000}  # makes a body that is searched rather than decoded


def stateful(body, **more):
    return any(uses_state(body if isinstance(body, bytes) else json.dumps(body | more).encode()))


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.id)
def test_rows_name_operations_of_these_kinds_alone(row):
    kinds = {endpoint.request_type for endpoint in row.endpoints if endpoint.cacheable}
    assert kinds <= set(KINDS.split())
    read = {endpoint.request_type for endpoint in row.endpoints if endpoint.dialect and not endpoint.cacheable}
    heard = {"audio.transcriptions", "audio.translations"}
    assert (
        read <= {"agents.completions", "classify", "responses.get", "responses.cancel", "run"} | heard
    )  # by what there is


@pytest.mark.parametrize(
    ("slug", "path", "cached"),
    [
        ("openai", b"chat/completions", True),
        ("openai", b"v1/responses", True),
        ("openai", b"images/generations", True),
        ("anthropic", b"v1/messages", True),
        ("cohere", b"v2/rerank", True),
        ("google-ai-studio", b"v1beta/models/g:streamGenerateContent", True),
        ("aws-bedrock", b"bedrock-runtime/us-east-1/model/m/converse", True),
        ("elevenlabs", b"v1/text-to-speech/v", True),
        *(
            ("openai", path, False)
            for path in (b"conversations", b"threads", b"files", b"batches", b"batches/b/cancel")
        ),
        *(("openai", path, False) for path in (b"videos", b"vector_stores", b"responses/r", b"responses/r/cancel")),
        *(("openai", path, False) for path in (b"chat/completions/c", b"chat/completions/", b"chat%2Fcompletions")),
        *(("anthropic", path, False) for path in (b"v1/messages/batches", b"v1/files")),
        *(
            ("google-ai-studio", path, False)
            for path in (b"v1beta/models/v:predictLongRunning", b"v1beta/cachedContents")
        ),
        ("aws-bedrock", b"bedrock-runtime/us-east-1/async-invoke", False),
        ("perplexity-ai", b"async/chat/completions", False),
        ("replicate", b"predictions", False),
        ("fal", b"fal-ai/flux", False),
        ("mistral", b"v1/agents/completions", False),
        ("cohere", b"v1/datasets", False),
    ],
)
def test_creations_and_jobs_are_not_cached(slug, path, cached):
    endpoint = Upstream(ROWS[slug]).target(path).endpoint
    assert may_be_cached(b"POST", endpoint, b"") is cached
    for method in (b"GET", b"HEAD", b"PUT", b"DELETE"):
        assert not may_be_cached(method, endpoint, b"")


def test_an_answer_that_goes_elsewhere_is_not_cached():
    endpoint = Upstream(ROWS["deepgram"]).target(b"v1/speak").endpoint
    assert may_be_cached(b"POST", endpoint, b"?model=aura-2")
    assert not may_be_cached(b"POST", endpoint, b"?model=aura-2&callback=https://x.example")


STATEFUL = [
    {"previous_response_id": "resp_1"},
    {"conversation": "conv_1"},
    {"conversation": {"id": "conv_1"}},
    {"background": True},
    {"background": True, "stream": True},
    {"prompt": {"id": "pmpt_1"}},
    {"container": "container_1"},
    {"container": {"skills": [{"type": "anthropic", "skill_id": "pptx"}]}},
    {"mcp_servers": [{"type": "url", "url": "https://x.example", "name": "x"}]},
    {"deferred": True},
    {"store": True},
    {"conversation_id": "c"},
    {"previous_interaction_id": "i"},
    {"preset": "mine"},
    {"model": "@preset/mine", "messages": []},
    {"model": "openai/gpt-4o@preset/mine"},
    {"model": "openai/gpt-4o", "models": ["openai/gpt-4o-mini", "@preset/mine"]},
    {"promptVariables": {"a": {"text": "b"}}},
    {"data_sources": [{"type": "azure_search"}]},
    {"connectors": [{"id": "web-search"}]},
    {"tools": [{"type": "function", "name": "f"}, {"type": "file_search", "vector_store_ids": ["vs_1"]}]},
    {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]},
    {"tools": [{"type": "mcp", "server_url": "https://x.example"}]},
    {"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]},
    {"tools": [{"fileSearch": {"fileSearchStoreNames": ["s"]}}]},
    {"tools": [{"retrieval": {"vertexRagStore": {}}}]},
]
STATELESS = [
    {"model": "m", "messages": [{"role": "user", "content": 'hello "conversation"'}]},
    {"store": False, "user": "u", "prompt_cache_key": "k"},
    {"previous_response_id": None, "conversation": None, "background": False, "container": None, "tools": []},
    {"prompt": "a text"},
    {"prompt": ["some", "texts"]},
    {"background": "transparent", "prompt": "a logo"},
    {"tools": [{"type": "web_search"}, {"googleSearch": {}}, {"type": "image_generation"}]},
    {"contents": [{"parts": [{"fileData": {"fileUri": "files/1"}}]}], "cachedContent": "cachedContents/1"},
]
ONLY_DECODED = [  # names that are no members of the request itself
    {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"properties": {"conversation": {}}}}}]},
    {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "@preset/mine"}]},
    {"messages": [{"role": "user", "content": "shell"}], "metadata": {"container": "x"}},
]


@pytest.mark.parametrize("body", STATEFUL, ids=json.dumps)
def test_a_request_that_refers_to_what_is_stored_or_begins_a_job_is_found(body):
    assert stateful(body)
    assert stateful(body, **PADDING)
    assert stateful({**PADDING, **body})


@pytest.mark.parametrize("body", [*STATELESS, *ONLY_DECODED], ids=json.dumps)
def test_any_other_request_is_not(body):
    assert not stateful(body)
    if body in STATELESS[:2]:
        assert not stateful(body, **PADDING)


def test_a_long_list_of_tools_is_searched():
    many = [{"type": "function", "function": {"name": "f" * 100}}] * 1000
    assert not stateful({"tools": many})
    assert stateful({"tools": [*many, {"type": "mcp"}]})


def test_a_name_that_hides_behind_an_escape_is_found():
    body = b'{"\\u0063onversation": "c"}'
    assert stateful(body)
    assert stateful(b'{"input":"' + b"x" * 600_000 + b'",' + body[1:])
    assert stateful(b'{"model": "\\u0040preset\\/mine"}')


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"words",
        b"[]",
        b'{"tools": {"type": "mcp"}}',
        b'\xef\xbb\xbf{"conversation": "c"}',
        gzip.compress(b'{"conversation": "c"}', mtime=0),
        '{"conversation": "c"}'.encode("utf-16-le"),
        b'--x\r\ncontent-disposition: form-data; name="image"\r\n',
    ],
)
def test_a_body_that_is_no_json_object_may_refer_to_anything(body):
    assert stateful(body)
    assert stateful(body + body[-2:] * 300_000) or not body


def test_a_name_across_two_slices_is_found():
    for shift in range(0, 40, 3):
        assert stateful(
            b'{"x":"' + b"y" * ((1 << 16) - 30 + shift) + b'","conversation":"c","z":"' + b"z" * 300_000 + b'"}'
        )


def test_large_bodies_are_searched_in_steps():
    assert len(list(uses_state(b'{"x":' + b'["",' * 2_000_000))) == -(-8_000_005 // (1 << 16))
