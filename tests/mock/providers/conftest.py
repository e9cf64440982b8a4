"""The official SDKs, pointed at the simulated providers."""

from collections.abc import AsyncIterator

import anthropic
import openai
import pytest

from penstock import mock


@pytest.fixture
async def openai_sdk(server: mock.MockServer) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        api_key="sk-test", base_url=f"{server.url}/openai", max_retries=0, _strict_response_validation=True
    ) as sdk:
        yield sdk


@pytest.fixture
async def anthropic_sdk(server: mock.MockServer) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(
        api_key="sk-test", base_url=f"{server.url}/anthropic", max_retries=0, _strict_response_validation=True
    ) as sdk:
        yield sdk
