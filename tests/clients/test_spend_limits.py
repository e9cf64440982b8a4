"""Limits on money, set with the official ``cloudflare`` SDK and met with that of OpenAI."""

import json
from typing import Any

import cloudflare
import openai
import pytest

pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # as the SDK says of billing

MESSAGES: Any = [{"role": "user", "content": "hello"}]
COST = {"cf-aig-custom-cost": '{"total_cost": 0.75}'}


def say(gpt):
    return gpt.chat.completions.create(model="gpt-4o", messages=MESSAGES, max_tokens=5, extra_headers=COST)


def refusal(caught: Any) -> str:
    (error,) = json.loads(caught.value.response.text)["error"]
    assert error["code"] == 2045
    return error["message"]


def test_spend_limits_of_a_gateway_act_and_are_answered_as_they_were_sent(house, sdk, make, change, name, gpt):
    rules: Any = {"rules": [{"limit": 1, "limit_type": "cost", "window": 10**6}]}
    made = make(name, spend_limits=rules)
    assert made.to_dict()["spend_limits"] == {"rules": [{"limit": 1, "limitType": "cost", "window": 10**6}]}
    with gpt(name) as client:
        client.max_retries = 0
        assert say(client).choices
        with pytest.raises(openai.RateLimitError) as caught:
            say(client)
        assert "$0.75 spent, and this call may cost $0.75" in refusal(caught)
        change(name, spend_limits={"rules": [{"limit": 2, "limit_type": "cost", "window": 10**6}]})
        assert say(client).choices
        change(name, spend_limits={"enabled": False, **rules})
        assert say(client).choices


def test_the_spending_limit_of_an_account(house, sdk, gateway, gpt):
    limits = sdk.ai_gateway.billing.spending_limit
    before = limits.get(account_id=house.account)
    assert (before.enabled, before.config.amount) == (False, None)
    with gpt(gateway) as client:
        client.max_retries = 0
        assert say(client).choices
        limits.create(account_id=house.account, amount=100, duration="weekly", strategy="fixed")
        try:
            there = limits.get(account_id=house.account)
            assert (there.enabled, there.config.to_dict()) == (
                True,
                {"amount": 100, "duration": "weekly", "strategy": "fixed"},
            )
            assert say(client).choices
            with pytest.raises(openai.RateLimitError) as caught:
                say(client)
            assert "the account's spending limit (cost limit $1.00 per week, fixed)" in refusal(caught)
        finally:
            assert limits.delete(account_id=house.account) == {}
        assert say(client).choices
    assert not limits.get(account_id=house.account).enabled


def test_too_little_is_no_limit(house, sdk):
    with pytest.raises(cloudflare.BadRequestError) as caught:
        sdk.ai_gateway.billing.spending_limit.create(
            account_id=house.account, amount=99, duration="daily", strategy="fixed"
        )
    body: Any = caught.value.body
    assert body["errors"][0]["path"] == ["body", "amount"]
