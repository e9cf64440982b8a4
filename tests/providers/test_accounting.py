"""Documented answers of the providers, with what each costs worked out by hand: counts times list prices.

A bill's lines are (count, dollars for a million), and fees (count, dollars for a thousand). None: no cost, as something
has no price. Prices are those of 20 November 2026, noon UTC.
"""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.options import CallOptions
from penstock.model.step import Step
from penstock.model.usage import Reported
from penstock.providers import catalog
from penstock.providers.accounting import Accounting, Figures, UsageRow
from penstock.providers.charge import Charge
from penstock.providers.dialects import DIALECTS
from penstock.providers.prices import PriceBook
from penstock.providers.upstream import Upstream
from tests.kit.accounts import used
from tests.kit.dialects import read
from tests.kit.exchange import an_exchange

ROWS = catalog.load()
UPSTREAMS = {slug: Upstream(row, "http://127.0.0.1:1") for slug, row in ROWS.items()}
BOOK = PriceBook(ROWS)
NOON = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000)

Lines = list[tuple[int, str]]


class Case(NamedTuple):
    """An answer, and its bill."""

    name: str
    provider: str
    path: str
    model: str
    usage: dict[str, Any]
    tokens: Lines | None = None
    fees: Lines | None = None
    more: dict[str, Any] | None = None  # beside model and usage
    warned: str = ""  # a part of the only warning
    asked: dict[str, Any] | None = None  # the request, as far as it is charged
    event: bool = False  # the answer is the last event of a stream


CHAT, RESPONSES, EMBEDDINGS, MESSAGES = "chat/completions", "responses", "embeddings", "v1/messages"


def details(**parts: int | str) -> dict[str, Any]:
    """Chat's details, by the side they stand on."""
    into = {name: count for name, count in parts.items() if name in ("cached_tokens", "audio_tokens", "text_tokens")}
    return {"prompt_tokens_details": into}


def search(kind: str = "search") -> dict[str, Any]:
    return {"type": "web_search_call", "status": "completed", "action": {"type": kind, "query": "q"}}


def run(kind: str, into: int, out: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "input_tokens": into, "output_tokens": out} | more


HAIKU, SONNET = "anthropic.claude-haiku-4-5-20251001-v1:0", "anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "amazon.nova-pro-v1:0"


def bedrock(model: str, call: str = "converse") -> str:
    return f"bedrock-runtime/us-east-1/model/{model.replace(':', '%3A').replace('/', '%2F')}/{call}"


BEDROCK = [
    Case(  # docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html: response syntax
        "plain", "aws-bedrock", bedrock(NOVA), "", {"inputTokens": 125, "outputTokens": 60, "totalTokens": 185},
        [(125, "0.80"), (60, "3.20")],
    ),
    Case(  # docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html: what is cached is not in inputTokens
        "the cache beside the input", "aws-bedrock", bedrock(NOVA), "",
        {"inputTokens": 12, "outputTokens": 80, "totalTokens": 1592, "cacheReadInputTokens": 1500},
        [(12, "0.80"), (1500, "0.20"), (80, "3.20")],
    ),
    Case(  # docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html and …_CacheDetail.html
        "writes of both lives, in a region", "aws-bedrock", bedrock("us." + SONNET), "",
        {"inputTokens": 10, "outputTokens": 100, "totalTokens": 3110, "cacheReadInputTokens": 0,
         "cacheWriteInputTokens": 3000,
         "cacheDetails": [{"ttl": "1h", "inputTokens": 1000}, {"ttl": "5m", "inputTokens": 2000}]},
        [(10, "3.30"), (1000, "6.60"), (2000, "4.125"), (100, "16.50")],
    ),
    Case(  # docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html: global profiles
        "everywhere in the world", "aws-bedrock", bedrock("global." + HAIKU), "",
        {"inputTokens": 10, "outputTokens": 100, "totalTokens": 110}, [(10, "1"), (100, "5")],
        more={"serviceTier": {"type": "default"}, "performanceConfig": {"latency": "standard"}},
    ),
    Case(  # docs.aws.amazon.com/bedrock/latest/userguide/service-tiers-inference.html
        "a tier without a price", "aws-bedrock", bedrock(NOVA), "",
        {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}, None, more={"serviceTier": {"type": "priority"}},
        warned="no price is known for amazon.nova-pro-v1:0 with service_tier=priority",
    ),
    Case(  # docs.aws.amazon.com/bedrock/latest/userguide/latency-optimized-inference.html
        "a latency without a price", "aws-bedrock", bedrock("us.amazon.nova-pro-v1:0"), "",
        {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}, None,
        more={"performanceConfig": {"latency": "optimized"}}, warned="with latency=optimized",
    ),
    Case(  # docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_PromptRouterTrace.html
        "the model that a router chose", "aws-bedrock",
        bedrock("arn:aws:bedrock:us-east-1:123456789012:prompt-router/p"), "",
        {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}, [(10, "0.80"), (5, "3.20")],
        more={"trace": {"promptRouter": {"invokedModelId": f"arn:aws:bedrock:us-east-1::foundation-model/{NOVA}"}}},
    ),
    Case(  # docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-create.html
        "a profile of one's own, which names no model", "aws-bedrock",
        bedrock("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/x"), "",
        {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}, None, warned="no price is known for arn:aws:bedrock",
    ),
    Case(  # docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
        "Claude's own format, by the profile in the path", "aws-bedrock", bedrock("us." + HAIKU, "invoke"),
        "claude-haiku-4-5-20251001",
        {"input_tokens": 10, "cache_creation_input_tokens": 100, "cache_read_input_tokens": 1000, "output_tokens": 50,
         "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 0}},
        [(10, "1.10"), (100, "1.375"), (1000, "0.11"), (50, "5.50")], more={"type": "message"},
    ),
    Case(  # docs.aws.amazon.com/nova/latest/userguide/using-invoke-api.html
        "Nova's own format", "aws-bedrock", bedrock(NOVA, "invoke"), "",
        {"inputTokens": 26, "outputTokens": 142, "totalTokens": 168, "cacheReadInputTokenCount": 0,
         "cacheWriteInputTokenCount": 0},
        [(26, "0.80"), (142, "3.20")],
    ),
    Case(  # docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html
        "Llama's own format", "aws-bedrock", bedrock("meta.llama3-70b-instruct-v1:0", "invoke"), "", {},
        [(25, "2.65"), (9, "3.50")],
        more={"usage": None, "generation": "Hi", "prompt_token_count": 25, "generation_token_count": 9},
    ),
    Case(  # docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html
        "Titan's own format", "aws-bedrock", bedrock("amazon.titan-text-express-v1", "invoke"), "", {},
        [(5, "0.20"), (61, "0.60")],
        more={"usage": None, "inputTextTokenCount": 5, "results": [{"tokenCount": 61, "outputText": "Hi"}]},
    ),
    Case(  # docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
        "Titan's embeddings", "aws-bedrock", bedrock("amazon.titan-embed-text-v2:0", "invoke"), "", {}, [(7, "0.02")],
        more={"usage": None, "embedding": [0.5], "inputTextTokenCount": 7},
    ),
    Case(  # docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html: no usage
        "a format without usage", "aws-bedrock", bedrock("mistral.mistral-7b-instruct-v0:2", "invoke"), "", {}, None,
        more={"usage": None, "outputs": [{"text": "Hi", "stop_reason": "stop"}]}, warned="usage not read: neither",
    ),
    Case(  # docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html: Nova
        "a write of a model whose writes have no price", "aws-bedrock", bedrock(NOVA), "",
        {"inputTokens": 10, "outputTokens": 5, "totalTokens": 1515, "cacheWriteInputTokens": 1500}, None,
        warned="no price is known for cache_write of amazon.nova-pro",
    ),
]  # fmt: skip
COHERE = [
    Case(  # docs.cohere.com/reference/chat: usage
        "what is billed is less than what the model saw", "cohere", "v2/chat", "command-a-03-2025",
        {"billed_units": {"input_tokens": 5, "output_tokens": 418},
         "tokens": {"input_tokens": 71, "output_tokens": 418}},
        [(5, "2.50"), (418, "10")],
    ),
    Case(  # docs.cohere.com/v2/reference/chat: cached_tokens is a part of what the model saw
        "what the provider had cached", "cohere", "v2/chat", "command-a-03-2025",
        {"billed_units": {"input_tokens": 100, "output_tokens": 10}, "cached_tokens": 64,
         "tokens": {"input_tokens": 160, "output_tokens": 10}},
        [(100, "2.50"), (10, "10")],
    ),
    Case(  # docs.cohere.com/v1/reference/chat: meta
        "the first version", "cohere", "v1/chat", "command-a-03-2025", {}, [(20, "2.50"), (8, "10")],
        more={"usage": None, "meta": {"api_version": {"version": "1"},
                                      "billed_units": {"input_tokens": 20, "output_tokens": 8}}},
    ),
    Case(  # docs.cohere.com/v1/reference/generate
        "generate", "cohere", "v1/generate", "command-a-03-2025", {}, [(5, "2.50"), (9, "10")],
        more={"usage": None, "meta": {"billed_units": {"input_tokens": 5.0, "output_tokens": 9.0}}},
    ),
    Case(  # docs.cohere.com/v1/reference/chat: connectors search the web
        "searches of a connector", "cohere", "v1/chat", "command-a-03-2025", {}, None,
        more={"usage": None, "meta": {"billed_units": {"input_tokens": 5, "output_tokens": 9, "search_units": 1}}},
        warned="no price is known for search_units of command-a-03-2025",
    ),
    Case(  # docs.cohere.com/reference/embed
        "texts", "cohere", "v2/embed", "embed-v4.0", {}, [(12, "0.12")],
        more={"usage": None, "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 12}}},
    ),
    Case(  # docs.cohere.com/v2/docs/multimodal-embeddings: images cost otherwise, and the list has no price
        "images", "cohere", "v2/embed", "embed-v4.0", {}, None,
        more={"usage": None, "meta": {"billed_units": {"images": 1, "image_tokens": 1200}}},
        warned="no price is known for input_image of embed-v4.0",
    ),
    Case(  # docs.cohere.com/reference/rerank
        "search units", "cohere", "v2/rerank", "rerank-v3.5", {}, None,
        more={"usage": None, "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}},
        warned="no price is known for rerank-v3.5",
    ),
    Case(  # docs.cohere.com/v1/reference/classify
        "classifications", "cohere", "v1/classify", "embed-v4.0", {}, None,
        more={"usage": None, "meta": {"billed_units": {"classifications": 2}}},
        warned="no price is known for classifications of embed-v4.0",
    ),
]  # fmt: skip


def enveloped(**result: Any) -> dict[str, Any]:
    return {"usage": None, "result": result, "success": True, "errors": [], "messages": []}


WORKERS_AI = [
    Case(  # developers.cloudflare.com/workers-ai/models/llama-3.1-8b-instruct: output, usage
        "a text", "workers-ai", "run/@cf/meta/llama-3.1-8b-instruct", "", {}, [(26, "0.282"), (14, "0.827")],
        more=enveloped(response="Hi", usage={"prompt_tokens": 26, "completion_tokens": 14, "total_tokens": 40}),
    ),
    Case(  # developers.cloudflare.com/workers-ai/models/kimi-k2.5: cached input has a price of its own
        "cached input", "workers-ai", "run/@cf/moonshotai/kimi-k2.5", "", {},
        [(100, "0.60"), (900, "0.10"), (50, "3")],
        more=enveloped(choices=[], usage={"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050,
                                          "prompt_tokens_details": {"cached_tokens": 900}}),
    ),
    Case(  # developers.cloudflare.com/workers-ai/models/gpt-oss-120b: the Responses API
        "a model that answers as OpenAI's responses", "workers-ai", "run/@cf/openai/gpt-oss-120b", "", {},
        [(80, "0.35"), (120, "0.75")],
        more=enveloped(usage={"input_tokens": 80, "output_tokens": 120, "total_tokens": 200}),
    ),
    Case(  # developers.cloudflare.com/workers-ai/models/bge-base-en-v1.5: output without usage
        "embeddings tell no usage", "workers-ai", "run/@cf/baai/bge-base-en-v1.5", "", {}, None,
        more=enveloped(shape=[1, 2], data=[[0.5, 0.5]]), warned="usage not known: the answer reported none",
    ),
    Case(  # developers.cloudflare.com/workers-ai/models/whisper: output without usage
        "speech tells none either", "workers-ai", "run/@cf/openai/whisper", "", {}, None,
        more=enveloped(text="Hi", word_count=1), warned="usage not known: the answer reported none",
    ),
]  # fmt: skip
# platform.openai.com/docs/api-reference: chat/object, embeddings/create; docs/pricing for tiers, audio and searches
OPENAI = [
    Case(
        "plain", "openai", CHAT, "gpt-4o-mini-2024-07-18",
        {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}, [(9, "0.15"), (12, "0.60")],
    ),
    Case(
        "with cached input", "openai", CHAT, "gpt-4o",
        {"prompt_tokens": 2006, "completion_tokens": 300, "total_tokens": 2306, **details(cached_tokens=1920)},
        [(86, "2.50"), (1920, "1.25"), (300, "10")],
    ),
    Case(
        "reasoning is part of the output", "openai", CHAT, "gpt-5-mini",
        {"prompt_tokens": 100, "completion_tokens": 900, "total_tokens": 1000,
         "completion_tokens_details": {"reasoning_tokens": 832, "accepted_prediction_tokens": 0}},
        [(100, "0.25"), (900, "2")],
    ),
    Case(
        "audio on both sides", "openai", CHAT, "gpt-audio-mini",
        {"prompt_tokens": 100, "completion_tokens": 200, "total_tokens": 300,
         **details(audio_tokens=60, text_tokens=40),
         "completion_tokens_details": {"audio_tokens": 150, "text_tokens": 50}},
        [(40, "0.60"), (60, "10"), (50, "2.40"), (150, "20")],
    ),
    Case(
        "audio of a model whose audio has no price", "openai", CHAT, "gpt-4o-audio-preview",
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, **details(audio_tokens=4)},
        None, warned="no price is known for input_audio of gpt-4o-audio-preview",
    ),
    Case(
        "the same model without audio", "openai", CHAT, "gpt-4o-audio-preview",
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, **details(audio_tokens=0)},
        [(10, "2.50"), (5, "10")],
    ),
    Case(
        "cached input of a model that has no price for it", "openai", CHAT, "ft:gpt-4o-2024-08-06:acme::x",
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, **details(cached_tokens=8)},
        None, warned="no price is known for cache_read",
    ),
    Case(
        "flex", "openai", CHAT, "o3", {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        [(1000, "1"), (100, "4")], more={"service_tier": "flex"},
    ),
    Case(
        "default tier", "openai", CHAT, "o3", {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        [(1000, "2"), (100, "8")], more={"service_tier": "default"},
    ),
    Case(
        "priority", "openai", CHAT, "gpt-5.5", {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        [(1000, "12.50"), (100, "75")], more={"service_tier": "priority"},
    ),
    Case(
        "a tier without a price", "openai", CHAT, "gpt-audio-mini",
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, None, more={"service_tier": "priority"},
        warned="no price is known for gpt-audio-mini with service_tier=priority",
    ),
    Case(
        "a model that always searches", "openai", CHAT, "gpt-4o-search-preview",
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, None,
        warned="no price is known for web_search",
    ),
    Case(
        "a fine-tuned model", "openai", CHAT, "ft:gpt-4o-2024-08-06:acme::x",
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, [(10, "3.75"), (5, "15")],
    ),
    Case(
        "embeddings", "openai", EMBEDDINGS, "text-embedding-3-large", {"prompt_tokens": 8, "total_tokens": 8},
        [(8, "0.13")],
    ),
    Case(
        "an unknown model", "openai", CHAT, "no-such-model",
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, None, warned="is known for no-such-model",
    ),
    Case(
        "more in total than its parts", "openai", CHAT, "gpt-4o",
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 115}, [(10, "2.50"), (105, "10")],
        warned="total_tokens is 115, more than the 15",
    ),
    Case(
        "less in total than its parts", "openai", CHAT, "gpt-4o",
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 4}, [(10, "2.50"), (5, "10")],
        warned="total_tokens is 4, less than the 15",
    ),
    Case(
        "cached input that total_tokens has beside the input", "openai", CHAT, "gpt-4o",
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 95, **details(cached_tokens=80)},
        [(10, "2.50"), (80, "1.25"), (5, "10")], warned="cache_read taken to stand beside",
    ),
    Case(
        "more cached than input", "openai", CHAT, "gpt-4o",
        {"prompt_tokens": 10, "completion_tokens": 5, **details(cached_tokens=80)},
        [(10, "2.50"), (80, "1.25"), (5, "10")], warned="80 tokens of cache_read are more than the 10 of input",
    ),
    Case(
        "an odd detail", "openai", CHAT, "gpt-4o",
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
         "prompt_tokens_details": {"cached_tokens": "8"}},
        [(10, "2.50"), (5, "10")], warned="usage not read: prompt_tokens_details.cached_tokens told as no figure",
    ),
    Case(
        "more reasoning than output, which total_tokens has no room for", "openai", CHAT, "gpt-5-mini",
        {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100,
         "completion_tokens_details": {"reasoning_tokens": 300}},
        [(1000, "0.25"), (100, "2")], warned="total_tokens has no room for them: 100 are priced",
    ),
    Case(
        "odd details", "openai", CHAT, "gpt-4o",
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "prompt_tokens_details": [1]},
        [(10, "2.50"), (5, "10")], warned="usage not read: prompt_tokens_details told as no figure",
    ),
    Case(
        "an odd main figure that total_tokens makes up for", "openai", CHAT, "gpt-4o",
        {"prompt_tokens": 10, "completion_tokens": -5, "total_tokens": 15}, [(10, "2.50"), (5, "10")],
        warned="completion_tokens told as no figure",
    ),
    Case(
        "figures with a decimal point", "openai", CHAT, "gpt-4o",
        {"prompt_tokens": 10.0, "completion_tokens": 5.0, "total_tokens": 15}, [(10, "2.50"), (5, "10")],
    ),
]  # fmt: skip
# platform.openai.com/docs/api-reference/responses/object; docs/pricing for tools
RESPONSES_CASES = [
    Case(
        "plain", "openai", RESPONSES, "gpt-4.1",
        {"input_tokens": 36, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 87,
         "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 123},
        [(36, "2"), (87, "8")],
    ),
    Case(
        "searches told by the tools", "openai", RESPONSES, "gpt-5-mini",
        {"input_tokens": 1000, "output_tokens": 50, "total_tokens": 1050}, [(1000, "0.25"), (50, "2")], [(2, "10")],
        more={"tool_usage": {"web_search": {"num_requests": 2}}, "output": [search(), search(), search("open_page")]},
    ),
    Case(
        "searches told by the output", "openai", RESPONSES, "gpt-5-mini",
        {"input_tokens": 1000, "output_tokens": 50, "total_tokens": 1050}, [(1000, "0.25"), (50, "2")], [(2, "10")],
        more={"output": [search(), search(), search("open_page"), search("find_in_page"), {"type": "message"}]},
    ),
    Case(
        "a search whose query begins as the name of a free action does", "openai", RESPONSES, "gpt-5-mini",
        {"input_tokens": 1000, "output_tokens": 50, "total_tokens": 1050}, [(1000, "0.25"), (50, "2")], [(1, "10")],
        more={"output": [{"type": "web_search_call", "action": {"query": "find", "find": "find", "type": "search"}}]},
    ),
    Case(
        "searches beside an image of many bytes", "openai", RESPONSES, "gpt-5-mini",
        {"input_tokens": 1000, "output_tokens": 50, "total_tokens": 1050}, [(1000, "0.25"), (50, "2")], [(1, "10")],
        more={"output": [search(), {"type": "message", "content": "x" * 300_000}]},
    ),
    Case(
        "searches in an answer too large to be looked through", "openai", RESPONSES, "gpt-5-mini",
        {"input_tokens": 1000, "output_tokens": 50, "total_tokens": 1050}, None,
        more={"output": [search(), {"type": "message", "content": "x" * 1_200_000}], "status": "completed"},
        warned="no price is known for fees that could not be read of gpt-5-mini",
    ),
    Case(
        "a large answer without any", "openai", RESPONSES, "gpt-5-mini",
        {"input_tokens": 1000, "output_tokens": 50, "total_tokens": 1050}, [(1000, "0.25"), (50, "2")],
        more={"output": [{"type": "message", "content": "x" * 1_200_000}], "status": "completed"},
    ),
    Case(
        "searches in an answer of many objects", "openai", RESPONSES, "gpt-5-mini",
        {"input_tokens": 1000, "output_tokens": 50, "total_tokens": 1050}, None,
        more={"output": [search(), *({"type": "message"} for _ in range(5000))]},
        warned="no price is known for fees that could not be read of gpt-5-mini",
    ),
    Case(
        "a search of the preview by a model that reasons", "openai", RESPONSES, "gpt-5-mini",
        {"input_tokens": 1000, "output_tokens": 50, "total_tokens": 1050}, [(1000, "0.25"), (50, "2")], [(1, "10")],
        more={"output": [search()], "tools": [{"type": "web_search_preview"}]},
    ),
    Case(
        "and by one that does not", "openai", RESPONSES, "gpt-4.1",
        {"input_tokens": 1000, "output_tokens": 50, "total_tokens": 1050}, None,
        more={"output": [search()], "tools": [{"type": "web_search_preview"}]},
        warned="no price is known for web_search of gpt-4.1",
    ),
    Case(
        "a search that costs tokens beside its fee", "openai", RESPONSES, "gpt-4o-mini",
        {"input_tokens": 1000, "output_tokens": 50, "total_tokens": 1050}, None,
        more={"output": [search()], "tools": [{"type": "web_search"}]},
        warned="no price is known for web_search of gpt-4o-mini",
    ),
    Case(
        "a search in files", "openai", RESPONSES, "gpt-4.1",
        {"input_tokens": 1000, "output_tokens": 50, "total_tokens": 1050}, [(1000, "2"), (50, "8")], [(1, "2.50")],
        more={"output": [{"type": "file_search_call", "queries": ["q"]}]},
    ),
    Case(
        "a container", "openai", RESPONSES, "gpt-4.1", {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
        None, more={"output": [{"type": "code_interpreter_call"}]}, warned="known for code_execution of gpt-4.1",
    ),
    Case(
        "an image, by the tokens that its model used", "openai", RESPONSES, "gpt-5-mini",
        {"input_tokens": 100, "output_tokens": 50, "total_tokens": 150},
        [(100, "0.25"), (50, "2"), (20, "5"), (300, "8"), (1056, "32")],
        more={
            "output": [{"type": "image_generation_call", "result": "iVBO"}],
            "tools": [{"type": "image_generation", "model": "gpt-image-1.5"}],
            "tool_usage": {"image_gen": {
                "input_tokens": 320, "input_tokens_details": {"image_tokens": 300, "text_tokens": 20},
                "output_tokens": 1056, "output_tokens_details": {"image_tokens": 1056, "text_tokens": 0}}},
        },
    ),
    Case(
        "an image of a model whose output is images alone", "openai", RESPONSES, "gpt-5-mini",
        {"input_tokens": 100, "output_tokens": 50, "total_tokens": 150},
        [(100, "0.25"), (50, "2"), (20, "5"), (1056, "40")],
        more={
            "tools": [{"type": "image_generation", "model": "gpt-image-1"}],
            "tool_usage": {"image_gen": {"input_tokens": 20, "output_tokens": 1056}},
        },
    ),
    Case(
        "an image of which no tokens are told", "openai", RESPONSES, "gpt-5-mini",
        {"input_tokens": 100, "output_tokens": 50, "total_tokens": 150}, None,
        more={"output": [{"type": "image_generation_call"}]}, warned="no price is known for image of gpt-5-mini",
    ),
]  # fmt: skip
# docs.anthropic.com/en/api/messages; build-with-claude/prompt-caching, /context-editing and about-claude/pricing
ANTHROPIC = [
    Case(
        "plain", "anthropic", MESSAGES, "claude-haiku-4-5", {"input_tokens": 2095, "output_tokens": 503},
        [(2095, "1"), (503, "5")],
    ),
    Case(
        "caches of both lives", "anthropic", MESSAGES, "claude-sonnet-4-5-20250929",
        {"input_tokens": 2048, "cache_read_input_tokens": 1800, "cache_creation_input_tokens": 248,
         "cache_creation": {"ephemeral_5m_input_tokens": 148, "ephemeral_1h_input_tokens": 100}, "output_tokens": 503,
         "service_tier": "standard"},
        [(2048, "3"), (1800, "0.30"), (148, "3.75"), (100, "6"), (503, "15")],
    ),
    Case(
        "writes told by their parts alone", "anthropic", MESSAGES, "claude-haiku-4-5",
        {"input_tokens": 10, "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
         "output_tokens": 5},
        [(10, "1"), (20, "1.25"), (30, "2"), (5, "5")],
    ),
    Case(
        "writes whose sum is 0", "anthropic", MESSAGES, "claude-haiku-4-5",
        {"input_tokens": 10, "cache_creation_input_tokens": 0,
         "cache_creation": {"ephemeral_5m_input_tokens": 1000, "ephemeral_1h_input_tokens": 0}, "output_tokens": 5},
        [(10, "1"), (1000, "1.25"), (5, "5")],
    ),
    Case(
        "above 200,000 tokens of input", "anthropic", MESSAGES, "claude-sonnet-4-5-20250929",
        {"input_tokens": 150_000, "cache_read_input_tokens": 100_000, "output_tokens": 1000},
        [(150_000, "6"), (100_000, "0.60"), (1000, "22.50")],
    ),
    Case(
        "searches of the web", "anthropic", MESSAGES, "claude-opus-4-8",
        {"input_tokens": 105, "output_tokens": 6039, "server_tool_use": {"web_search_requests": 3}},
        [(105, "5"), (6039, "25")], [(3, "10")],
    ),
    Case(
        "thinking is part of the output", "anthropic", MESSAGES, "claude-opus-4-8",
        {"input_tokens": 10, "output_tokens": 900, "output_tokens_details": {"thinking_tokens": 800}},
        [(10, "5"), (900, "25")],
    ),
    Case(
        "fast", "anthropic", MESSAGES, "claude-opus-4-8", {"input_tokens": 10, "output_tokens": 9, "speed": "fast"},
        [(10, "10"), (9, "50")],
    ),
    Case(
        "within the USA", "anthropic", MESSAGES, "claude-opus-4-8",
        {"input_tokens": 25, "output_tokens": 150, "inference_geo": "us",
         "server_tool_use": {"web_search_requests": 1}},
        [(25, "5.50"), (150, "27.50")], [(1, "10")],
    ),
    Case(
        "priority, at a price of one's own", "anthropic", MESSAGES, "claude-opus-4-8",
        {"input_tokens": 25, "output_tokens": 150, "service_tier": "priority"}, None,
        warned="no price is known for claude-opus-4-8 with service_tier=priority",
    ),
    Case(
        "compaction is beside the main figures", "anthropic", MESSAGES, "claude-opus-4-8",
        {"input_tokens": 23_000, "output_tokens": 1000,
         "iterations": [run("compaction", 180_000, 3500), run("message", 23_000, 1000)]},
        [(203_000, "5"), (4500, "25")],
    ),
    Case(
        "the input of each run counts for a tier", "anthropic", MESSAGES, "claude-sonnet-4-5-20250929",
        {"input_tokens": 120_000, "output_tokens": 1000,
         "iterations": [run("compaction", 180_000, 3500), run("message", 120_000, 1000)]},
        [(300_000, "3"), (4500, "15")],
    ),
    Case(
        "and one run may be in it", "anthropic", MESSAGES, "claude-sonnet-4-5-20250929",
        {"input_tokens": 20_000, "output_tokens": 1000,
         "iterations": [run("compaction", 210_000, 3500), run("message", 20_000, 1000)]},
        [(20_000, "3"), (1000, "15"), (210_000, "6"), (3500, "22.50")],
    ),
    Case(
        "advice of another model", "anthropic", MESSAGES, "claude-haiku-4-5",
        {"input_tokens": 100, "output_tokens": 50,
         "iterations": [run("message", 100, 50), run("advisor_message", 800, 90, model="claude-opus-4-8")]},
        [(100, "1"), (50, "5"), (800, "5"), (90, "25")],
    ),
]  # fmt: skip
# xAI: docs.x.ai/docs/api-reference. DeepSeek: api-docs.deepseek.com/api/create-chat-completion. Google:
# ai.google.dev/gemini-api/docs/openai. Perplexity: docs.perplexity.ai/api-reference/chat-completions-post. OpenRouter:
# openrouter.ai/docs/use-cases/usage-accounting. Groq: console.groq.com/docs/api-reference. Mistral: docs.mistral.ai/api
OTHERS = [
    Case(
        "xAI counts reasoning beside the output", "grok", CHAT, "grok-4.20",
        {"prompt_tokens": 10120, "completion_tokens": 1499, "total_tokens": 14428, **details(cached_tokens=128),
         "completion_tokens_details": {"reasoning_tokens": 2809}},
        [(9992, "1.25"), (128, "0.20"), (1499 + 2809, "2.50")],
    ),
    Case(
        "xAI, where total_tokens says that reasoning is within", "grok", CHAT, "grok-4.20",
        {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
         "completion_tokens_details": {"reasoning_tokens": 40}},
        [(100, "1.25"), (50, "2.50")], warned="output_reasoning taken to be part",
    ),
    Case(
        "xAI reads images at the price of text", "grok", CHAT, "grok-4.20",
        {"prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1010,
         "prompt_tokens_details": {"text_tokens": 200, "image_tokens": 800, "audio_tokens": 0, "cached_tokens": 0}},
        [(1000, "1.25"), (10, "2.50")],
    ),
    Case(
        "xAI states what it charges, tools included", "grok", RESPONSES, "grok-4.20",
        {"input_tokens": 9212, "input_tokens_details": {"cached_tokens": 3072}, "output_tokens": 3417,
         "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 12629,
         "server_side_tool_usage_details": {"x_search_calls": 3}, "cost_in_usd_ticks": 318_319_000},
        [(1, "31831.9")],
    ),
    Case(
        "xAI's tools without a statement have no price", "grok", RESPONSES, "grok-4.20",
        {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15,
         "server_side_tool_usage_details": {"x_search_calls": 3, "mcp_calls": 0}},
        None, warned="no price is known for web_search",
    ),
    Case(
        "DeepSeek's name for what it had cached", "deepseek", CHAT, "deepseek-v4-pro",
        {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100, "prompt_cache_hit_tokens": 900,
         "prompt_cache_miss_tokens": 100, **details(cached_tokens=900)},
        [(100, "0.66"), (900, "0.022"), (100, "1.98")],
    ),
    Case(
        "Google leaves thinking out of the output", "google-ai-studio", "v1beta/openai/chat/completions",
        "gemini-3-flash-preview", {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 105},
        [(9, "0.50"), (96, "3")],
    ),
    Case(
        "Vertex too", "google-vertex-ai",
        "v1/projects/p/locations/us-central1/endpoints/openapi/chat/completions", "google/gemini-2.5-pro",
        {"prompt_tokens": 21, "completion_tokens": 150, "total_tokens": 8171,
         "completion_tokens_details": {"reasoning_tokens": 8000}},
        [(21, "1.25"), (8150, "10")],
    ),
    Case(
        "Perplexity's deep research", "perplexity-ai", CHAT, "sonar-deep-research",
        {"prompt_tokens": 33, "completion_tokens": 7163, "total_tokens": 7196, "citation_tokens": 20016,
         "num_search_queries": 18, "reasoning_tokens": 95305},
        [(33, "2"), (7163, "8"), (20016, "2"), (95305, "3")], [(18, "5")],
    ),
    Case(
        "Perplexity states what it charges", "perplexity-ai", CHAT, "sonar-pro",
        {"prompt_tokens": 26, "completion_tokens": 832, "total_tokens": 858, "search_context_size": "low",
         "cost": {"input_tokens_cost": 0.000078, "output_tokens_cost": 0.01248, "request_cost": 0.006,
                  "total_cost": 0.018558}},
        [(1, "18558")],
    ),
    Case(
        "Perplexity's fee for the most searching", "perplexity-ai", CHAT, "sonar",
        {"prompt_tokens": 8, "completion_tokens": 439, "total_tokens": 447, "search_context_size": "high"},
        [(8, "1"), (439, "1")], [(1, "12")],
    ),
    Case(
        "and for less, which the list has not", "perplexity-ai", CHAT, "sonar",
        {"prompt_tokens": 8, "completion_tokens": 439, "total_tokens": 447, "search_context_size": "low"},
        None, warned="no price is known for sonar with search_context_size=low",
    ),
    Case(
        "Perplexity in another currency", "perplexity-ai", "v1/responses", "sonar-deep-research",
        {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15, "cost": {"currency": "EUR", "total_cost": 1}},
        [(10, "2"), (5, "8")], warned="cost.currency",
    ),
    Case(
        "OpenRouter states what it charges, for a model of nobody's list", "openrouter", "v1/chat/completions",
        "vendor/new-model-9",
        {"prompt_tokens": 194, "completion_tokens": 2, "total_tokens": 196, "cost": 0.00095,
         "cost_details": {"upstream_inference_cost": 0.00095}, "is_byok": False},
        [(1, "950")],
    ),
    Case(
        "OpenRouter with a key of the caller's own", "openrouter", "v1/chat/completions", "vendor/new-model-9",
        {"prompt_tokens": 194, "completion_tokens": 2, "total_tokens": 196, "cost": 0.00095, "is_byok": True,
         "cost_details": {"upstream_inference_cost": 0.019}},
        [(1, "19950")],
    ),
    Case(
        "OpenRouter, which does not say what that key paid", "openrouter", "v1/chat/completions",
        "anthropic/claude-sonnet-4.5",
        {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110, "cost": 0, "is_byok": True,
         "cost_details": {"upstream_inference_cost": None}},
        [(100, "3"), (10, "15")],
    ),
    Case(
        "OpenRouter's statement that differs from the list", "openrouter", "v1/messages",
        "anthropic/claude-sonnet-4.5", {"input_tokens": 100, "output_tokens": 10, "cost": 0.001},
        [(1, "1000")], warned="states a cost of 0.001000000 dollars, the list 0.000450000",
    ),
    Case(
        "an odd statement", "openrouter", "v1/chat/completions", "anthropic/claude-sonnet-4.5",
        {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110, "cost": "free"},
        [(100, "3"), (10, "15")], warned="usage not read: cost told as no figure",
    ),
    Case(
        "Groq's tiers cost the same", "groq", CHAT, "llama-3.3-70b-versatile",
        {"queue_time": 0.03, "prompt_tokens": 18, "completion_tokens": 556, "total_tokens": 574, "total_time": 0.46},
        [(18, "0.59"), (556, "0.79")], more={"service_tier": "on_demand"},
    ),
    Case(
        "Mistral, and no audio", "mistral", "v1/chat/completions", "mistral-large-latest",
        {"prompt_tokens": 4, "completion_tokens": 10, "total_tokens": 14, "prompt_audio_seconds": {}},
        [(4, "2"), (10, "6")],
    ),
    Case(
        "Mistral with audio by the second", "mistral", "v1/chat/completions", "mistral-large-latest",
        {"prompt_tokens": 4, "completion_tokens": 10, "total_tokens": 14, "prompt_audio_seconds": 9},
        None, warned="no price is known for audio_seconds",
    ),
]  # fmt: skip
FOX = {"input": "The quick brown fox jumped over the lazy dog.", "voice": "alloy"}  # 45 characters
MODELS = "v1/projects/p/locations/us-central1/publishers/google/models"
MEDIA = [
    Case(  # platform.openai.com/docs/api-reference/images/create
        "an image by its tokens", "openai", "images/generations", "gpt-image-1.5",
        {"total_tokens": 100, "input_tokens": 50, "output_tokens": 50,
         "input_tokens_details": {"text_tokens": 10, "image_tokens": 40}},
        [(10, "5"), (40, "8"), (50, "32")],
    ),
    Case(  # the same page: models without tokens
        "an image of a model that is paid by the picture", "openai", "images/generations", "dall-e-3", {}, None,
        more={"usage": None, "data": [{"url": "https://x.example"}]}, warned="known for dall-e-3",
    ),
    Case(  # platform.openai.com/docs/api-reference/audio/json-object
        "a transcription by its tokens", "openai", "audio/transcriptions", "gpt-4o-transcribe",
        {"type": "tokens", "input_tokens": 14, "input_token_details": {"text_tokens": 0, "audio_tokens": 14},
         "output_tokens": 45, "total_tokens": 59},
        [(14, "6"), (45, "10")],
    ),
    Case(  # platform.openai.com/docs/api-reference/audio/verbose-json-object: 0.006 dollars a minute
        "a transcription by the second", "openai", "audio/transcriptions", "whisper-1",
        {"type": "duration", "seconds": 9}, [(9, "100")],
    ),
    Case(  # the same page: answers that tell the duration alone
        "a transcription by its duration", "openai", "audio/transcriptions", "whisper-1", {}, [(9, "100")],
        more={"usage": None, "task": "transcribe", "language": "english", "duration": 8.470000267028809, "text": "…"},
    ),
    Case(  # console.groq.com/docs/speech-to-text: at least 10 seconds are billed, at 0.111 dollars an hour
        "a short transcription", "groq", "audio/transcriptions", "whisper-large-v3", {}, [(10, "30.8333333333")],
        more={"usage": None, "task": "transcribe", "language": "English", "duration": 8.47, "text": "…"},
    ),
    Case(  # the same page: 0.04 dollars an hour
        "a long transcription", "groq", "audio/transcriptions", "whisper-large-v3-turbo", {}, [(3600, "11.1111111111")],
        more={"usage": None, "task": "transcribe", "language": "English", "duration": 3599.2, "text": "…"},
    ),
    Case(  # console.groq.com/docs/api-reference#audio-transcription: response_format json
        "a transcription without duration", "groq", "audio/transcriptions", "whisper-large-v3", {}, None,
        more={"usage": None, "text": "…", "x_groq": {"id": "req_unique_id"}}, warned="the answer reported none",
    ),
    Case(  # learn.microsoft.com/en-us/azure/ai-foundry/openai/whisper-quickstart
        "a transcription", "azure-openai", "res/whisper/audio/transcriptions", "", {}, None,
        more={"usage": None, "text": "…", "duration": 11.2}, warned="no price is known for whisper",
    ),
    Case(  # learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/dall-e: the usage of gpt-image-1
        "an image", "azure-openai", "res/gpt-image-1/images/generations", "",
        {"total_tokens": 100, "input_tokens": 50, "output_tokens": 50,
         "input_tokens_details": {"text_tokens": 10, "image_tokens": 40}},
        [(10, "5"), (40, "10"), (50, "40")], asked={"prompt": "x", "size": "1024x1024", "quality": "high"},
    ),
    Case(  # docs.x.ai/developers/cost-tracking
        "an image of which the cost is stated", "grok", "v1/images/generations", "grok-imagine-image",
        {"cost_in_usd_ticks": 200_000_000}, [], [(1, "20")], more={"data": [{"url": "https://x.example"}]},
    ),
    Case(  # platform.openai.com/docs/api-reference/audio/createSpeech
        "speech by the character", "openai", "audio/speech", "tts-1", {}, [(45, "15")], asked=FOX,
    ),
    Case("better speech", "openai", "audio/speech", "tts-1-hd", {}, [(45, "30")], asked=FOX),  # the same page
    Case(  # the same page: the price is by tokens, which the sound does not tell
        "speech by the token", "openai", "audio/speech", "gpt-4o-mini-tts", {}, None, asked=FOX,
        warned="no price is known for characters of gpt-4o-mini-tts",
    ),
    Case(  # platform.openai.com/docs/api-reference/audio/speech-audio-done-event
        "speech by the token, in events", "openai", "audio/speech", "gpt-4o-mini-tts",
        {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}, [(14, "0.60"), (101, "12")],
        more={"type": "speech.audio.done"}, asked=FOX | {"stream_format": "sse"}, event=True,
    ),
    Case(  # console.groq.com/docs/text-to-speech/orpheus
        "speech", "groq", "audio/speech", "canopylabs/orpheus-v1-english", {}, [(45, "22")], asked=FOX,
    ),
    Case(  # learn.microsoft.com/en-us/azure/ai-foundry/openai/text-to-speech-quickstart
        "speech", "azure-openai", "res/tts-hd/audio/speech", "", {}, None, asked=FOX, warned="is known for tts-hd",
    ),
    Case(  # cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api
        "vectors", "google-vertex-ai", f"{MODELS}/gemini-embedding-001:predict", "", {}, [(10, "0.15")],
        more={"predictions": [{"embeddings": {"statistics": {"truncated": False, "token_count": count}}}
                              for count in (6, 4)]},
    ),
    Case(  # cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api
        "pictures", "google-vertex-ai", f"{MODELS}/imagen-4.0-generate-001:predict", "", {}, None,
        more={"predictions": [{"bytesBase64Encoded": "iVBO", "mimeType": "image/png"}] * 2},
        warned="no price is known for imagen-4.0-generate-001",
    ),
    Case(  # platform.openai.com/docs/guides/predicted-outputs: rejected tokens are output
        "predictions that were not used", "openai", CHAT, "gpt-4o",
        {"prompt_tokens": 379, "completion_tokens": 65, "total_tokens": 444,
         "completion_tokens_details": {"accepted_prediction_tokens": 14, "rejected_prediction_tokens": 24}},
        [(379, "2.50"), (65, "10")],
    ),
    Case(  # docs.anthropic.com/en/docs/agents-and-tools/tool-use/web-fetch-tool: no fee
        "pages that were fetched", "anthropic", MESSAGES, "claude-opus-4-8",
        {"input_tokens": 25_039, "output_tokens": 931, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0,
         "server_tool_use": {"web_fetch_requests": 1, "web_search_requests": 0}},
        [(25_039, "5"), (931, "25")],
    ),
    Case(  # docs.anthropic.com/en/docs/build-with-claude/batch-processing: half the price
        "of a batch", "anthropic", MESSAGES, "claude-opus-4-8",
        {"input_tokens": 1000, "output_tokens": 100, "service_tier": "batch"}, [(1000, "2.50"), (100, "12.50")],
    ),
]  # fmt: skip
STUDIO, VERTEX = "google-ai-studio", "google-vertex-ai"
PUBLISHED = "v1/projects/p/locations/global/publishers"


def generate(model: str, place: str = "v1beta") -> str:
    return f"{place}/models/{model}:generateContent"


def modalities(**counts: int) -> list[dict[str, Any]]:
    return [{"modality": modality, "tokenCount": count} for modality, count in counts.items()]


def gemini(model: str, **more: Any) -> dict[str, Any]:
    """What stands beside the usage."""
    return {"modelVersion": model, "candidates": [{"finishReason": "STOP", "index": 0, **more}]}


GOOGLE = [
    Case(  # ai.google.dev/api/generate-content: UsageMetadata
        "thoughts stand beside the candidates", STUDIO, generate("gemini-2.5-flash"), "",
        {"promptTokenCount": 4, "candidatesTokenCount": 522, "thoughtsTokenCount": 1017, "totalTokenCount": 1543,
         "promptTokensDetails": modalities(TEXT=4)},
        [(4, "0.30"), (522, "2.50"), (1017, "2.50")], more=gemini("gemini-2.5-flash"),
    ),
    Case(  # ai.google.dev/gemini-api/docs/caching
        "cached input is part of the prompt", STUDIO, generate("gemini-2.5-flash"), "",
        {"promptTokenCount": 696_219, "cachedContentTokenCount": 696_190, "candidatesTokenCount": 214,
         "totalTokenCount": 696_433},
        [(29, "0.30"), (696_190, "0.03"), (214, "2.50")], more=gemini("gemini-2.5-flash"),
    ),
    Case(  # ai.google.dev/gemini-api/docs/audio
        "audio has a price of its own", STUDIO, generate("gemini-2.5-flash"), "",
        {"promptTokenCount": 1930, "candidatesTokenCount": 100, "totalTokenCount": 2030,
         "promptTokensDetails": modalities(TEXT=10, AUDIO=1920)},
        [(10, "0.30"), (1920, "1"), (100, "2.50")], more=gemini("gemini-2.5-flash"),
    ),
    Case(  # ai.google.dev/gemini-api/docs/pricing: context caching of audio
        "cached audio too", STUDIO, generate("gemini-2.5-flash"), "",
        {"promptTokenCount": 1930, "cachedContentTokenCount": 1500, "candidatesTokenCount": 100,
         "totalTokenCount": 2030, "promptTokensDetails": modalities(TEXT=10, AUDIO=1920),
         "cacheTokensDetails": modalities(AUDIO=1500)},
        [(10, "0.30"), (420, "1"), (1500, "0.10"), (100, "2.50")], more=gemini("gemini-2.5-flash"),
    ),
    Case(  # ai.google.dev/gemini-api/docs/pricing: text, image and video have one price
        "images and video are read at the price of text", STUDIO, generate("gemini-2.5-flash"), "",
        {"promptTokenCount": 3000, "candidatesTokenCount": 10, "totalTokenCount": 3010,
         "promptTokensDetails": modalities(TEXT=100, IMAGE=258, VIDEO=2642)},
        [(3000, "0.30"), (10, "2.50")], more=gemini("gemini-2.5-flash"),
    ),
    Case(  # ai.google.dev/gemini-api/docs/pricing: prompts above 200,000 tokens
        "above 200,000 tokens", STUDIO, generate("gemini-2.5-pro"), "",
        {"promptTokenCount": 250_000, "cachedContentTokenCount": 50_000, "candidatesTokenCount": 1000,
         "totalTokenCount": 251_000},
        [(200_000, "2.50"), (50_000, "0.25"), (1000, "15")], more=gemini("gemini-2.5-pro"),
    ),
    Case(  # ai.google.dev/gemini-api/docs/url-context: tool use is charged as input
        "what tools returned is input", STUDIO, generate("gemini-2.5-flash"), "",
        {"promptTokenCount": 27, "candidatesTokenCount": 45, "toolUsePromptTokenCount": 10309, "thoughtsTokenCount": 31,
         "totalTokenCount": 10412, "promptTokensDetails": modalities(TEXT=27),
         "toolUsePromptTokensDetails": modalities(TEXT=10309)},
        [(27 + 10309, "0.30"), (45 + 31, "2.50")], more=gemini("gemini-2.5-flash"),
    ),
    Case(  # ai.google.dev/gemini-api/docs/google-search: each query of Gemini 3 is billed, once
        "each search that is told", STUDIO, generate("gemini-3-flash-preview"), "",
        {"promptTokenCount": 11, "candidatesTokenCount": 60, "totalTokenCount": 71}, [(11, "0.50"), (60, "3")],
        [(2, "14")],
        more=gemini("gemini-3-flash-preview", groundingMetadata={
            "webSearchQueries": ["UEFA Euro 2024 winner", "", "who won euro 2024", "who won euro 2024"]}),
    ),
    Case(  # ai.google.dev/gemini-api/docs/google-search: older models pay for the grounded prompt
        "one fee for all searches of an older model", STUDIO, generate("gemini-2.5-flash"), "",
        {"promptTokenCount": 11, "candidatesTokenCount": 60, "totalTokenCount": 71}, [(11, "0.30"), (60, "2.50")],
        [(1, "35")], more=gemini("gemini-2.5-flash", groundingMetadata={"webSearchQueries": ["a", "b"]}),
    ),
    Case(  # ai.google.dev/gemini-api/docs/image-generation
        "an image is drawn at a price of its own", STUDIO, generate("gemini-3.1-flash-image-preview"), "",
        {"promptTokenCount": 20, "candidatesTokenCount": 1130, "totalTokenCount": 1150,
         "candidatesTokensDetails": modalities(IMAGE=1120)},
        [(20, "0.50"), (10, "3"), (1120, "60")], more=gemini("gemini-3.1-flash-image-preview"),
    ),
    Case(  # ai.google.dev/gemini-api/docs/speech-generation
        "speech is the output of its models", STUDIO, generate("gemini-2.5-flash-preview-tts"), "",
        {"promptTokenCount": 12, "candidatesTokenCount": 80, "totalTokenCount": 92,
         "candidatesTokensDetails": modalities(AUDIO=80)},
        [(12, "0.50"), (80, "10")], more=gemini("gemini-2.5-flash-preview-tts"),
    ),
    Case(  # ai.google.dev/gemini-api/docs/optimization: flex costs half
        "flex", STUDIO, generate("gemini-3.5-flash"), "",
        {"promptTokenCount": 1000, "candidatesTokenCount": 100, "totalTokenCount": 1100, "serviceTier": "flex"},
        [(1000, "0.75"), (100, "4.50")], more=gemini("gemini-3.5-flash"),
    ),
    Case(  # the same page: priority costs 75 to 100 % more, which is no price
        "priority", STUDIO, generate("gemini-3.5-flash"), "",
        {"promptTokenCount": 1000, "candidatesTokenCount": 100, "totalTokenCount": 1100, "serviceTier": "priority"},
        None, more=gemini("gemini-3.5-flash"), warned="known for gemini-3.5-flash with service_tier=priority",
    ),
    Case(  # ai.google.dev/api/generate-content: PromptFeedback
        "a blocked prompt", STUDIO, generate("gemini-2.5-pro"), "", {"promptTokenCount": 8, "totalTokenCount": 8},
        [(8, "1.25")], more={"modelVersion": "gemini-2.5-pro", "promptFeedback": {"blockReason": "SAFETY"}},
    ),
    Case(  # ai.google.dev/gemini-api/docs/embeddings
        "embeddings", STUDIO, "v1beta/models/gemini-embedding-2:embedContent", "",
        {"promptTokenCount": 266, "promptTokenDetails": modalities(TEXT=8, IMAGE=258)}, [(8, "0.20"), (258, "0.45")],
        more={"embedding": {"values": [0.5]}},
    ),
    Case(  # cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse
        "on demand", VERTEX, generate("gemini-2.5-pro", f"{PUBLISHED}/google"), "",
        {"promptTokenCount": 6, "candidatesTokenCount": 1500, "totalTokenCount": 1506, "trafficType": "ON_DEMAND",
         "promptTokensDetails": modalities(TEXT=6), "candidatesTokensDetails": modalities(TEXT=1500)},
        [(6, "1.25"), (1500, "10")], more=gemini("gemini-2.5-pro"),
    ),
    Case(  # cloud.google.com/vertex-ai/generative-ai/docs/provisioned-throughput/use-provisioned-throughput
        "throughput that was paid for before", VERTEX, generate("gemini-2.5-pro", f"{PUBLISHED}/google"), "",
        {"promptTokenCount": 6, "candidatesTokenCount": 15, "totalTokenCount": 21,
         "trafficType": "PROVISIONED_THROUGHPUT"},
        None, more=gemini("gemini-2.5-pro"), warned="with service_tier=provisioned_throughput",
    ),
    Case(  # cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude
        "Claude, as Anthropic tells it", VERTEX,
        f"{PUBLISHED}/anthropic/models/claude-sonnet-4-5@20250929:rawPredict", "claude-sonnet-4-5-20250929",
        {"input_tokens": 25, "cache_creation_input_tokens": 100, "cache_read_input_tokens": 50, "output_tokens": 150,
         "cache_creation": {"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40}},
        [(25, "3"), (60, "3.75"), (40, "6"), (50, "0.30"), (150, "15")],
    ),
]  # fmt: skip
CASES = [*OPENAI, *RESPONSES_CASES, *ANTHROPIC, *OTHERS, *MEDIA, *GOOGLE, *BEDROCK, *COHERE, *WORKERS_AI]


def noted(case: Case, charge: Charge | None = None) -> Step:
    """The answer, read and charged."""
    step = an_exchange(provider=case.provider).step
    step.id = NOON.to_bytes(6, "big") + bytes(10)
    step.options = CallOptions(log=True, payloads=False)
    step.target = UPSTREAMS[case.provider].target(case.path.encode())
    dialect = DIALECTS[step.target.endpoint.dialect]
    usage = "usageMetadata" if dialect.name == "gemini" else "usage"
    body = json.dumps({"model": case.model, usage: case.usage, **(case.more or {})}).encode()
    step.request.asked = dialect.asked(json.dumps({"model": case.model} | (case.asked or {})).encode())
    (charge or Charge(BOOK)).note(step, read(dialect, b"data: %b\n\n" % body) if case.event else dialect.reported(body))
    return step


def test_there_are_enough() -> None:
    assert len(CASES) >= 60
    assert len({(case.provider, case.path, case.name) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.provider}: {case.name}")
def test_a_documented_answer_costs_what_its_bill_says(case: Case) -> None:
    step = noted(case)
    if case.tokens is None:
        expected = None
    else:
        dollars = sum(count * Decimal(rate) / 10**6 for count, rate in case.tokens)
        dollars += sum(count * Decimal(rate) / 10**3 for count, rate in case.fees or ())
        expected = float(dollars)
    assert (step.cost if step.cost is None else step.cost / 1e9) == pytest.approx(expected, abs=6e-10)
    assert len(step.warnings) == bool(case.warned)
    assert case.warned in "".join(step.warnings)


@pytest.mark.parametrize(
    ("provider", "path", "model", "usage"),
    [
        ("openai", CHAT, "gpt-audio-mini", {"prompt_tokens": 9, "completion_tokens": 1, **details(audio_tokens="3")}),
        (
            "anthropic",
            MESSAGES,
            "claude-haiku-4-5",
            {"input_tokens": 9, "output_tokens": 1, "cache_read_input_tokens": "9"},
        ),
        (
            "anthropic",
            MESSAGES,
            "claude-haiku-4-5",
            {"input_tokens": 9, "output_tokens": 1, "server_tool_use": {"web_search_requests": -1}},
        ),
    ],
)
def test_an_odd_count_of_what_costs_more_leaves_no_cost(
    provider: str, path: str, model: str, usage: dict[str, Any]
) -> None:
    step = noted(Case("", provider, path, model, usage))
    assert step.cost is None
    assert ["told as no figure" in warning for warning in step.warnings] == [True, False]


# What no documentation has

FIGURES = Figures(
    ("in",),
    ("out",),
    "total_tokens",
    {"a": "cache_read", "b": "cache_write", "c.d": "output_reasoning", "e": "input_audio"},
)
AMOUNT = st.integers(0, 50) | st.sampled_from([None, -1, 1.5, "9", True, {}, [], 1e300])
OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("in", "out", "a", "b", "e", "total_tokens"), AMOUNT),
        "c": st.fixed_dictionaries({}, optional={"d": AMOUNT}) | AMOUNT,
    },
)


@given(OBJECTS, st.sets(st.sampled_from(["cache_read", "output_reasoning"])))
def test_no_token_is_lost_and_none_counted_twice(told: dict[str, Any], beside: set[str]) -> None:
    reported = Reported("m", json.dumps(told).encode())
    notes: list[str] = []
    usage = Accounting(FIGURES, UsageRow(beside=sorted(beside))).read(reported, notes)
    if usage is None:
        return
    assert all(part.amount > 0 for part in usage.used)
    mains = (usage.tokens_in or 0) + (usage.tokens_out or 0)
    paid = sum(part.amount for part in usage.used if not part.kind.startswith("tokens"))
    assert paid >= mains
    total = told.get("total_tokens")
    if type(total) is int and total > mains and not notes:
        assert paid == total


def test_usage_that_is_not_read_says_why_and_none_is_another_sentence() -> None:
    chat = DIALECTS["openai_chat"]
    large = b'{"model":"m","usage":{"prompt_tokens":1,"x":"' + b"y" * 17_000 + b'"}}'
    for body, why in (
        (large, "the usage object has more than 16384 bytes"),
        (b'{"model":"m","usage":[1]}', "it is no JSON object"),
        (b'{"model":"m","usage":{"words":7}}', "there is no figure in it that is known"),
        (b'{"model":"m","usage":{"prompt_tokens":1}', "the answer is no JSON object"),
    ):
        usage, _, notes = used(chat, chat.reported(body))
        assert usage is None
        assert len(notes) == 1
        assert notes[0].startswith(f"usage not read: {why}")
    case = Case("", "openai", CHAT, "gpt-4o", {})
    assert noted(case._replace(more={"usage": None})).warnings == ["usage not known: the answer reported none"]
