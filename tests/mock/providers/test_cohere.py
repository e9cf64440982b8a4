import json

from penstock.core import codec
from penstock.mock import dispatch
from penstock.mock.controls import NONE, Controls

CHAT_2 = {"model": "command-a", "messages": [{"role": "user", "content": "hello"}]}
CHAT_1 = {"message": "hello", "chat_history": [{"role": "USER", "message": "before"}]}


def ask(path, body, controls=NONE):
    return dispatch.answer("POST", f"/cohere/{path}".encode(), json.dumps(body).encode(), controls)


def read(answer):
    return codec.decode(b"".join(answer.known()))


def test_both_chats_tell_their_usage_where_cohere_has_it():
    second = read(ask("v2/chat", CHAT_2))
    assert second["message"]["content"] == [{"type": "text", "text": "You said: hello"}]
    assert second["usage"]["billed_units"] == {"input_tokens": 2, "output_tokens": 4}
    first = read(ask("v1/chat", CHAT_1))
    assert first["text"] == "You said: hello"
    assert first["meta"]["tokens"] == {"input_tokens": 3, "output_tokens": 4}


def test_the_second_streams_events_with_the_usage_at_the_end():
    *events, done = ask("v2/chat", CHAT_2 | {"stream": True}).known()
    assert done == b"data: [DONE]\n\n"
    told = [codec.decode(event.partition(b"data: ")[2]) for event in events]
    assert [one["type"] for one in told][:2] == ["message-start", "content-start"]
    texts = [one["delta"]["message"]["content"]["text"] for one in told if one["type"] == "content-delta"]
    assert "".join(texts) == "You said: hello"
    assert told[-1]["delta"]["usage"]["tokens"]["output_tokens"] == 4


def test_the_first_streams_lines_of_json():
    answer = ask("v1/chat", CHAT_1 | {"stream": True})
    assert answer.kind == b"application/stream+json"
    lines = [codec.decode(line) for line in answer.known()]
    assert [line["event_type"] for line in lines[:2]] == ["stream-start", "text-generation"]
    assert [line["is_finished"] for line in lines[-2:]] == [False, True]
    assert lines[-1]["response"]["meta"]["billed_units"]["output_tokens"] == 4


def test_texts_are_embedded_and_documents_ranked():
    texts = {"texts": ["a", "b"], "model": "embed-v4.0"}
    assert len(read(ask("v1/embed", texts))["embeddings"]) == 2
    assert len(read(ask("v2/embed", texts))["embeddings"]["float"]) == 2
    ranked = read(ask("v2/rerank", {"query": "red fox", "documents": ["a dog", "a red fox", "a fox"]}))
    assert [one["index"] for one in ranked["results"]] == [1, 2, 0]


def test_errors_have_an_id_and_a_message():
    assert read(ask("v2/chat", {"model": "m", "messages": []})).keys() == {"id", "message"}
    assert read(ask("v2/chat", CHAT_2, Controls(status=418)))["message"]
