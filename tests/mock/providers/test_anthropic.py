import anthropic
import pytest


async def test_the_models_are_listed_and_found_one_by_one(anthropic_sdk):
    names = [model.id async for model in anthropic_sdk.models.list()]
    assert "claude-sonnet-4-6" in names
    assert [(await anthropic_sdk.models.retrieve(name)).id for name in names] == names
    with pytest.raises(anthropic.NotFoundError, match="claude-nothing"):
        await anthropic_sdk.models.retrieve("claude-nothing")


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (401, anthropic.AuthenticationError, "authentication_error"),
        (413, anthropic.APIStatusError, "request_too_large"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (529, anthropic.InternalServerError, "overloaded_error"),
    ],
)
async def test_a_status_brings_the_error_the_sdk_knows(anthropic_sdk, status, error, kind):
    with pytest.raises(error) as raised:
        await anthropic_sdk.models.list(extra_headers={"x-mock-status": str(status)})
    assert (raised.value.status_code, raised.value.body["error"]["type"]) == (status, kind)
    assert raised.value.request_id == raised.value.body["request_id"]


async def test_an_unknown_path_and_a_wrong_method_are_refused_as_anthropic_does(client):
    unknown, wrong = await client.get("/anthropic/v1/nothing"), await client.get("/anthropic/v1/messages")
    assert (unknown.status_code, wrong.status_code) == (404, 405)
    assert unknown.json()["error"]["type"] == "not_found_error"


async def test_answers_carry_the_headers_of_the_provider(client):
    headers = (await client.get("/anthropic/v1/models")).headers
    assert headers["request-id"].startswith("req_")
    assert headers["anthropic-ratelimit-requests-remaining"].isdigit()
