"""LangChain's client of OpenAI talks to every kind of provider through the unified API."""

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, SecretStr

MODELS = [
    "openai/gpt-5-mini",
    "anthropic/claude-haiku-4-5",
    "google-ai-studio/gemini-3-flash-preview",
    "aws-bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "cohere/command-a-03-2025",
]


class City(BaseModel):
    name: str
    people: int


@tool
def weather(city: str) -> str:
    """The weather there."""
    return f"rain in {city}"


@tool
def time(city: str) -> str:
    """The time there."""
    return f"noon in {city}"


@pytest.fixture(params=MODELS)
def model(request, compat) -> ChatOpenAI:
    return ChatOpenAI(
        model=request.param, base_url=compat, api_key=SecretStr("sk-of-nobody"), max_retries=0, stream_usage=True
    )


def test_a_text_and_its_stream(model):
    told = model.invoke("hello")
    assert (told.content, told.usage_metadata["total_tokens"]) == ("You said: hello", 6)
    pieces = list(model.stream("hello"))
    assert "".join(piece.content for piece in pieces) == "You said: hello"


def test_a_loop_of_tools(model):
    agent = model.bind_tools([weather, time])
    question = HumanMessage("both please")
    told = agent.invoke([question])
    assert isinstance(told, AIMessage)
    assert [(call["name"], call["args"]) for call in told.tool_calls] == [
        ("weather", {"city": "both"}),
        ("time", {"city": "please"}),
    ]
    results = [one.invoke(call) for one, call in zip((weather, time), told.tool_calls, strict=True)]
    assert agent.invoke([question, told, *results]).content == 'The tools say: "rain in both", "noon in please"'
    streamed = AIMessageChunk(content="")
    for piece in agent.stream([question]):
        streamed += piece
    assert [call["args"] for call in streamed.tool_calls] == [{"city": "both"}, {"city": "please"}]


def test_an_answer_is_a_model_of_pydantic(model):
    assert model.with_structured_output(City).invoke("Oslo") == City(name="Oslo", people=1)
