import json

from penstock.core import codec
from penstock.mock import dispatch
from penstock.mock.controls import NONE, Controls


def ask(path, body=None, method="POST", controls=NONE):
    return dispatch.answer(method, f"/{path}".encode(), b"" if body is None else json.dumps(body).encode(), controls)


def read(answer):
    return codec.decode(answer.known()[0])


def test_a_prediction_begins_and_is_found_again_when_it_ended():
    begun = ask("replicate/v1/predictions", {"version": "v", "input": {"prompt": "a"}})
    assert (begun.status, read(begun)["status"], read(begun)["input"]) == (201, "starting", {"prompt": "a"})
    ended = read(ask(f"replicate/predictions/{read(begun)['id']}", method="GET"))
    assert (ended["status"], ended["id"]) == ("succeeded", read(begun)["id"])
    assert ended["metrics"]["output_token_count"] == 4
    assert read(ask("replicate/models/meta/llama/predictions", {"input": {}}))["model"] == "meta/llama"
    assert read(ask("replicate/predictions", {})).keys() == {"title", "detail", "status"}


def test_a_task_runs_and_its_result_is_told():
    begun = ask("parallel/v1/tasks/runs", {"input": {"a": 1}, "processor": "core"})
    assert (begun.status, read(begun)["status"], read(begun)["processor"]) == (202, "queued", "core")
    name = read(begun)["run_id"]
    assert read(ask(f"parallel/v1/tasks/runs/{name}", method="GET"))["is_active"] is False
    assert read(ask(f"parallel/v1/tasks/runs/{name}/result", method="GET"))["output"]["type"] == "text"
    assert read(ask("parallel/v1beta/search", {"objective": "fox"}))["results"][0]["excerpts"] == ["fox"]
    assert read(ask("parallel/v1beta/findall/ingest", {"objective": "fox"}))["objective"] == "fox"
    assert read(ask("parallel/v1/tasks/runs", {}))["error"].keys() == {"ref_id", "message"}


def test_what_was_deployed_says_what_it_was_given():
    assert read(ask("baseten/model/abc/production/predict", {"a": 1})) == {"output": {"a": 1}}
    assert read(ask("baseten/model/abc/deployment/x/predict", [1])) == {"output": [1]}
    assert read(ask("baseten/model/abc/production/predict", None)).keys() == {"error"}


def test_a_model_infers_what_its_name_says():
    assert read(ask("huggingface/org/llama", {"inputs": "hello"})) == [{"generated_text": "You said: hello"}]
    assert len(read(ask("huggingface/org/all-MiniLM-L6-v2", {"inputs": ["a", "b"]}))) == 2
    assert len(read(ask("huggingface/org/bge-small", {"inputs": "a"}))) == 384
    assert ask("huggingface/org/FLUX.1-dev", {"inputs": "a dot"}).kind == b"image/png"
    chat = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
    for path in ("v1/chat/completions", "org/model/v1/chat/completions"):
        assert read(ask(f"huggingface/{path}", chat))["object"] == "chat.completion"
    assert read(ask("huggingface/org/model", {}, controls=Controls(status=503))).keys() == {"error"}
