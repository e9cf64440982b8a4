import openai
import pytest


async def test_the_models_are_listed_and_found_one_by_one(openai_sdk):
    names = [model.id async for model in await openai_sdk.models.list()]
    assert "gpt-4o-mini" in names
    assert [(await openai_sdk.models.retrieve(name)).id for name in names] == names


async def test_an_unknown_model_is_not_found(openai_sdk):
    with pytest.raises(openai.NotFoundError, match="gpt-nothing"):
        await openai_sdk.models.retrieve("gpt-nothing")


@pytest.mark.parametrize(
    ("status", "error", "kind", "code"),
    [
        (400, openai.BadRequestError, "invalid_request_error", None),
        (401, openai.AuthenticationError, "invalid_request_error", "invalid_api_key"),
        (429, openai.RateLimitError, "requests", "rate_limit_exceeded"),
        (500, openai.InternalServerError, "server_error", None),
        (502, openai.InternalServerError, "server_error", None),
    ],
)
async def test_a_status_brings_the_error_the_sdk_knows(openai_sdk, status, error, kind, code):
    with pytest.raises(error) as raised:
        await openai_sdk.models.list(extra_headers={"x-mock-status": str(status), "x-mock-retry-after": "7"})
    assert (raised.value.status_code, raised.value.type, raised.value.code) == (status, kind, code)
    assert raised.value.request_id == raised.value.response.headers["x-request-id"]
    assert raised.value.response.headers["retry-after"] == "7"


async def test_an_unknown_path_and_a_wrong_method_are_refused_as_openai_does(client):
    unknown, wrong = await client.get("/openai/v1/nothing"), await client.get("/openai/v1/chat/completions")
    assert (unknown.status_code, wrong.status_code) == (404, 405)
    assert set(unknown.json()["error"]) == {"message", "type", "param", "code"}
    assert wrong.json()["error"]["code"] == "method_not_supported"


@pytest.mark.parametrize("body", ["", "{", "[]", '{"model": 1}', '{"model": "m", "messages": "hi"}'])
async def test_a_body_that_cannot_be_read_is_a_400(client, body):
    answer = await client.post("/openai/chat/completions", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_answers_carry_the_headers_of_the_provider(client):
    headers = (await client.get("/openai/models")).headers
    assert headers["x-request-id"].startswith("req_")
    assert headers["openai-processing-ms"] == "7"
    assert headers["x-ratelimit-remaining-tokens"].isdigit()
