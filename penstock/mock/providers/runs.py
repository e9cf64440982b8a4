"""Who takes a job and tells its result later, or runs what was deployed: Replicate, Parallel, Baseten, Hugging Face."""

from types import MappingProxyType
from typing import Any

from penstock.core import codec
from penstock.mock.answer import SERVER_ERRORS, Answer, Ask, Provider, Route, identified, json, reply, tokens
from penstock.mock.providers.anthropic_messages import messages
from penstock.mock.providers.openai_chat import Style, Unasked, plainly, speaking
from penstock.mock.providers.openai_embeddings import embeddings, vector
from penstock.mock.providers.pictures import PNG

_TIME = "2025-01-01T00:00:00.000000Z"
_DIMENSIONS = 384


class _Prediction(codec.Struct):
    input: dict[str, Any]
    version: str = ""
    model: str = ""


class _Task(codec.Struct):
    input: Any
    processor: str


class _Search(codec.Struct):
    objective: str = ""
    search_queries: tuple[str, ...] = ()


class _Inputs(codec.Struct):
    inputs: str | list[str]


_decode_prediction = codec.decoder(_Prediction).decode
_decode_task = codec.decoder(_Task).decode
_decode_search = codec.decoder(_Search).decode
_decode_inputs = codec.decoder(_Inputs).decode


def predict(ask: Ask) -> Answer:
    """A prediction that has begun."""
    given = _decode_prediction(ask.body)
    model = "/".join(ask.named) or given.model
    return json(_prediction(ask.seed, model, given.version, given.input, "starting"), 201)


def prediction(ask: Ask) -> Answer:
    """One that has ended; whichever it is."""
    told = _prediction(ask.named[0], "mock/mock", "", {}, "succeeded")
    metrics = {"predict_time": 0.7, "input_token_count": 3, "output_token_count": 4}
    return json(told | {"output": ["You said ", "nothing."], "completed_at": _TIME, "metrics": metrics})


def account(ask: Ask) -> Answer:
    return json({"type": "organization", "username": "mock", "name": "Mock"})


def baseten_models(ask: Ask) -> Answer:
    return json({"object": "list", "data": [{"id": "deepseek-ai/DeepSeek-V3.1", "object": "model"}]})


def _prediction(name: str, model: str, version: str, given: dict[str, Any], status: str) -> dict[str, Any]:
    url = f"https://api.replicate.com/v1/predictions/{name}"
    told: dict[str, Any] = {"id": name, "model": model, "version": version or "hidden", "input": given, "logs": ""}
    told |= {"output": None, "error": None, "status": status, "created_at": _TIME, "data_removed": False}
    return told | {"urls": {"get": url, "cancel": f"{url}/cancel"}}


def task(ask: Ask) -> Answer:
    return json(_run(f"trun_{ask.seed}", "queued", _decode_task(ask.body).processor), 202)


def task_now(ask: Ask) -> Answer:
    return json(_run(ask.named[0], "completed", "base"))


def task_result(ask: Ask) -> Answer:
    output: dict[str, Any] = {"type": "text", "content": "You said nothing.", "basis": []}
    return json({"run": _run(ask.named[0], "completed", "base"), "output": output})


def _run(name: str, status: str, processor: str) -> dict[str, Any]:
    active = status == "queued"
    times = {"created_at": _TIME, "modified_at": _TIME}
    return {"run_id": name, "status": status, "is_active": active, "processor": processor, "metadata": {}, **times}


def search(ask: Ask) -> Answer:
    given = _decode_search(ask.body)
    found = {"url": "https://example.com/", "title": "Example", "excerpts": [given.objective or "nothing"]}
    usage = [{"name": "sku_search", "count": 1}]
    return json({"search_id": f"search_{ask.seed}", "results": [found], "warnings": None, "usage": usage})


def ingest(ask: Ask) -> Answer:
    objective = _decode_search(ask.body).objective
    return json({"objective": objective, "entity_type": "things", "match_conditions": [], "enrichments": []})


def deployed(ask: Ask) -> Answer:
    """Whatever was deployed, says what it was given."""
    return json({"output": codec.decode(ask.body)})


def infer(ask: Ask) -> Answer:
    """The answer of the kind of model that the name tells of."""
    model = ask.named[0].lower()
    if any(word in model for word in ("flux", "diffusion", "sdxl")):
        return Answer(200, b"image/png", [PNG])
    inputs = _decode_inputs(ask.body).inputs
    texts = inputs if isinstance(inputs, list) else [inputs]
    if any(word in model for word in ("embed", "minilm", "bge")):
        values = [vector(text, _DIMENSIONS) for text in texts]
        return json(values if isinstance(inputs, list) else values[0])
    told = [{"generated_text": reply(text, ask.controls)} for text in texts]
    count = sum(map(tokens, texts))
    return json(told, headers=[(b"x-prompt-tokens", b"%d" % count)])


def _sentence(status: int) -> str:
    return _SENTENCES.get(status, "Internal server error" if status >= SERVER_ERRORS else "The request is invalid.")


def _replicate(status: int, message: str | None, seed: str) -> bytes:
    return codec.encode({"title": _sentence(status), "detail": message or _sentence(status), "status": status})


def _parallel(status: int, message: str | None, seed: str) -> bytes:
    return codec.encode({"type": "error", "error": {"ref_id": seed, "message": message or _sentence(status)}})


def _plain(status: int, message: str | None, seed: str) -> bytes:
    return codec.encode({"error": message or _sentence(status)})


_SENTENCES = {401: "Unauthenticated", 402: "Payment required", 404: "Not found", 429: "Request was throttled."}
_chat = Route("POST", speaking(Style(usage=plainly, more=MappingProxyType({}))), texts=True)
_telling_chat = Route(
    "POST", speaking(Style(usage=plainly, unasked=Unasked.LAST, more=MappingProxyType({}))), texts=True
)

REPLICATE = Provider(
    routes={
        "predictions": Route("POST", predict),
        "predictions/*": Route("GET", prediction),
        "account": Route("GET", account),
        "models/*/*/predictions": Route("POST", predict),
    },
    error=_replicate,
    headers=identified(b"x-request-id"),
    failing=500,
)
PARALLEL = Provider(
    routes={
        "chat/completions": _telling_chat,
        "v1beta/chat/completions": _telling_chat,
        "tasks/runs": Route("POST", task),
        "tasks/runs/*": Route("GET", task_now),
        "tasks/runs/*/result": Route("GET", task_result),
        "search": Route("POST", search),
        "v1beta/search": Route("POST", search),
        "v1beta/findall/ingest": Route("POST", ingest),
    },
    error=_parallel,
    headers=identified(b"x-request-id"),
    failing=500,
)
BASETEN = Provider(
    routes={
        "chat/completions": _chat,
        "embeddings": Route("POST", embeddings),
        "messages": Route("POST", messages, texts=True),
        "models": Route("GET", baseten_models),
        "model/*/*/predict": Route("POST", deployed),
        "model/*/*/*/predict": Route("POST", deployed),
    },
    error=_plain,
    headers=identified(b"x-baseten-request-id"),
    failing=500,
)
HUGGINGFACE = Provider(
    routes={"v1/chat/completions": _chat, "**/v1/chat/completions": _chat, "**": Route("POST", infer)},
    error=_plain,
    headers=identified(b"x-request-id"),
    failing=500,
    prefixes=(),
)
