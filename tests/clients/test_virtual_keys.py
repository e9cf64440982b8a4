"""A token as the key of a team, in the hands of the official SDK of OpenAI."""

import json
from typing import Any

import httpx
import openai
import pytest

from penstock.model.credential import StoredKey
from tests.kit.house import House, house
from tests.kit.store import ACCOUNT, SECRET

MESSAGES: Any = [{"role": "user", "content": "hello"}]
PRICE = (
    '[[prices]]\nprovider = "openai"\nmodel = "gpt-4o-mini"\ntokens = {input = 0, output = 0}\nunits = {call = 0.004}\n'
)


class Team:
    """A token that was made by the API, and an SDK that has it for a key."""

    def __init__(self, made: House, http: httpx.AsyncClient, token: dict[str, Any]) -> None:
        self._http = http
        self.id = token["id"]
        base = f"http://127.0.0.1:{made.server.port}/v1/{ACCOUNT}/default/openai/v1"
        self.sdk = openai.AsyncOpenAI(api_key=token["value"], base_url=base, max_retries=0)

    async def ask(self, model: str = "gpt-4o-mini") -> Any:
        return await self.sdk.chat.completions.create(model=model, messages=MESSAGES, max_tokens=1)

    async def change(self, **fields: Any) -> dict[str, Any]:
        answer = await self._http.patch(f"/{self.id}", json=fields)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    async def budget(self) -> dict[str, Any]:
        return (await self._http.get(f"/{self.id}")).json()["result"]["budget"]


async def test_a_team_spends_its_budget_and_no_more_and_calls_its_models_alone():
    gateways = {"default": {"authentication": True}}
    keys = [StoredKey("one", "openai", "default", True, "sk-of-the-operator", 1)]
    async with house(gateways=gateways, keys=keys, prices=PRICE) as made:
        tokens = f"http://127.0.0.1:{made.server.port}/client/v4/accounts/{ACCOUNT}/tokens"
        async with httpx.AsyncClient(base_url=tokens, headers={"authorization": f"Bearer {SECRET}"}) as http:
            limits = {"budget": {"amount": 0.01, "window": "month"}, "models": ["openai/*-mini"]}
            asked = {"name": "team search", "scopes": ["AI Gateway Run"], **limits}
            team = Team(made, http, (await http.post(tokens, json=asked)).json()["result"])
            assert (await team.ask()).choices[0].message.content
            await team.ask()
            with pytest.raises(openai.RateLimitError) as refused:
                await team.ask()
            told = json.loads(refused.value.response.text)["error"][0]
            assert told["code"] == 2045
            assert "the budget of token 'team search' (cost limit $0.01 per month, fixed)" in told["message"]
            assert int(refused.value.response.headers["retry-after"]) > 0
            left = await team.budget()
            assert (left["spent"], left["reserved"]) == (0.008, 0)
            with pytest.raises(openai.PermissionDeniedError) as denied:
                await team.ask("gpt-4o")
            assert "may call openai/*-mini, but not openai/gpt-4o" in denied.value.response.text
            changed = await team.change(budget={"amount": 0.012, "window": "month"}, models=None)
            assert changed["budget"]["spent"] == 0.008
            await team.ask()
            with pytest.raises(openai.RateLimitError):
                await team.ask()
            await team.sdk.close()
        assert made.mock.stats()["requests_begun"] == 3
