"""What a streamed chat used is read the same in every dialect, wherever its bytes were cut into frames."""

import pytest

from penstock.core.budget import Budget
from penstock.core.codec import encode
from penstock.core.turns import Turns
from penstock.providers.dialects import DIALECTS
from penstock.providers.reading import Stream
from penstock.wire.framing import cutter_of
from tests.kit.house import house, request

SAID = {"messages": [{"role": "user", "content": "hello"}], "stream": True}
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
CONVERSE = {"messages": [{"role": "user", "content": [{"text": "hello"}]}]}
BEDROCK = "aws-bedrock/bedrock-runtime/us-east-1/model"
CLAUDE = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": SAID["messages"]}
STREAMS = {
    "openai_chat": (
        "openai/chat/completions",
        {"model": "gpt-4o", "stream_options": {"include_usage": True}, **SAID},
    ),
    "openai_responses": ("openai/responses", {"model": "gpt-4o", "input": "hello", "stream": True}),
    "anthropic": ("anthropic/v1/messages", {"model": "claude-haiku-4-5", "max_tokens": 9, **SAID}),
    "gemini": ("google-ai-studio/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", CONTENTS),
    "bedrock_converse": (f"{BEDROCK}/amazon.nova-pro-v1%3A0/converse-stream", CONVERSE),
    "bedrock_invoke": (
        f"{BEDROCK}/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/invoke-with-response-stream",
        CLAUDE,
    ),
    "cohere": ("cohere/v2/chat", {"model": "command-a-03-2025", **SAID}),
    "workers_ai": ("workers-ai/run/@cf/meta/llama-3.1-8b-instruct", SAID),
}


def told(dialect, kind, frames):
    """What the frames say of the stream."""
    cutter = cutter_of(kind.encode())
    assert cutter is not None
    stream = Stream(DIALECTS[dialect], b"", 0, Budget(1 << 30), Turns(), cutter)
    for frame in frames:
        stream.feed(frame)
    found = stream.reported()
    stream.close()
    return found


@pytest.mark.parametrize("dialect", STREAMS)
async def test_usage_does_not_depend_on_the_frames(dialect):
    path, body = STREAMS[dialect]
    headers = {"content-type": "application/json"}
    async with house() as made, made.client() as client:
        answer = await client.ask(request(path, body=encode(body), headers=headers))
    assert answer.status == 200
    data, kind = answer.body, answer.headers["content-type"]
    whole = told(dialect, kind, [data])
    assert whole.complete
    assert whole.raw
    assert told(dialect, kind, [data[at : at + 1] for at in range(len(data))]) == whole
    for at in range(1, len(data), max(1, len(data) // 200)):
        assert told(dialect, kind, [data[:at], data[at:]]) == whole
