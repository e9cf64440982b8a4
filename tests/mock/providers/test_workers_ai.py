import json

import pytest

from penstock.core import codec
from penstock.mock import dispatch
from penstock.mock.controls import NONE, Controls


def ask(path, body, controls=NONE):
    return dispatch.answer("POST", f"/workers-ai/{path}".encode(), json.dumps(body).encode(), controls)


@pytest.mark.parametrize("body", [{"prompt": "hello"}, {"messages": [{"role": "user", "content": "hello"}]}])
def test_a_text_comes_in_the_envelope(body):
    told = codec.decode(ask("run/@cf/meta/llama-3.1-8b-instruct", body).known()[0])
    assert (told["success"], told["errors"], told["messages"]) == (True, [], [])
    assert told["result"]["response"] == "You said: hello"
    assert told["result"]["usage"] == {"prompt_tokens": 2, "completion_tokens": 4, "total_tokens": 6}


def test_a_stream_is_bare_and_ends_in_its_usage():
    *events, done = ask("run/@cf/meta/llama", {"prompt": "hello", "stream": True}).known()
    assert done == b"data: [DONE]\n\n"
    told = [codec.decode(event.removeprefix(b"data: ")) for event in events]
    assert "".join(one["response"] for one in told) == "You said: hello"
    assert told[-1]["usage"]["total_tokens"] == 6


def test_other_models_do_other_things():
    embedded = codec.decode(ask("run/@cf/baai/bge-base-en-v1.5", {"text": ["a", "b"]}).known()[0])["result"]
    assert embedded["shape"] == [2, 768]
    assert ask("run/@cf/black-forest-labs/flux-1-schnell", {"prompt": "a dot"}).known()[0].startswith(b"\x89PNG")
    assert "bytes were heard" in codec.decode(ask("run/@cf/openai/whisper", "audio").known()[0])["result"]["text"]


def test_the_openai_shaped_paths_are_bare():
    chat = {"model": "@cf/meta/llama", "messages": [{"role": "user", "content": "hello"}]}
    assert codec.decode(ask("v1/chat/completions", chat).known()[0])["object"] == "chat.completion"
    assert codec.decode(ask("v1/embeddings", {"model": "@cf/baai/bge", "input": "x"}).known()[0])["object"] == "list"


def test_errors_come_in_the_envelope():
    told = codec.decode(ask("run/x", {}, Controls(status=401)).known()[0])
    assert (told["success"], told["result"], told["errors"][0]["code"]) == (False, None, 10000)
