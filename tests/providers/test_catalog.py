"""Every row holds, and a row that does not is refused by name."""

from pathlib import Path

import pytest
from genai_prices.data import providers as priced

from penstock.providers import catalog
from penstock.providers.dialects import DIALECTS
from penstock.providers.templates import PART
from penstock.providers.upstream import Upstream
from penstock.wire.credentials import PARAMETERS
from tests.kit.examples import below, dialect

ROWS = {row.id: row for row in catalog.load().values()}

GOOD = """
id = "x"
base_url = "https://x.example/v1"
docs = "https://x.example/docs"
checked = 2026-01-01
credential_headers = ["authorization"]
aliases = ["ex"]
[[endpoints]]
path = "chat/completions"
request_type = "chat.completions"
dialect = "openai_chat"
[[examples]]
path = "chat/completions"
url = "https://x.example/v1/chat/completions"
"""

SLUGS = (  # that clients use; a provider that is added need not be listed
    "adobe-firefly anthropic aws-bedrock azure-openai baseten cartesia cerebras cohere deepgram deepseek elevenlabs fal"
    " fireworks google-ai-studio google-vertex-ai grok groq huggingface ideogram mistral openai openrouter parallel"
    " perplexity-ai replicate workers-ai"
)
ALIASES = {
    "google": "google-ai-studio",
    "google-vertex": "google-vertex-ai",
    "azure": "azure-openai",
    "bedrock": "aws-bedrock",
    "xai": "grok",
    "perplexity": "perplexity-ai",
}
CREDENTIALS = {  # all that do not travel in ``authorization`` alone
    "adobe-firefly": ["authorization", "x-api-key"],
    "anthropic": ["x-api-key", "authorization"],
    "azure-openai": ["api-key", "authorization"],
    "cartesia": ["x-api-key", "authorization"],
    "deepgram": ["authorization", "token"],
    "elevenlabs": ["xi-api-key", "authorization"],
    "google-ai-studio": ["x-goog-api-key", "authorization"],
    "google-vertex-ai": ["authorization", "x-goog-api-key"],
    "ideogram": ["api-key"],
    "parallel": ["authorization", "x-api-key"],
}


def test_the_names_that_were_released_stay() -> None:
    rows = catalog.load()
    assert ROWS.keys() >= set(SLUGS.split())
    assert all(rows[alias].id == slug for alias, slug in ALIASES.items())


def test_credentials_travel_in_the_headers_that_the_providers_read() -> None:
    assert {slug: ROWS[slug].credential_headers for slug in CREDENTIALS} == CREDENTIALS
    assert all("authorization" in ROWS[slug].credential_headers for slug in SLUGS.split() if slug not in CREDENTIALS)
    assert ROWS["google-ai-studio"].credential_parameters == ["key"]
    assert all(name.encode() in PARAMETERS for row in ROWS.values() for name in row.credential_parameters)


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.id)
def test_every_row(row: catalog.Provider) -> None:
    assert all(origin.tls and not origin.trusted for origin in Upstream(row).origins)
    assert row.prices == "" or row.prices in {provider.id for provider in priced}
    assert row.endpoints
    for endpoint in row.endpoints:
        assert endpoint.dialect == "" or DIALECTS[endpoint.dialect].name == endpoint.dialect
        assert endpoint.ask_usage or endpoint.dialect == "openai_chat"
    for example in row.examples:
        assert example.model or not dialect(row, example)


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.id)
def test_every_operation_is_found_by_its_path(row: catalog.Provider) -> None:
    """The first that fits counts: one behind a wider one would never be found."""
    upstream = Upstream(row, "http://127.0.0.1:8788/base")
    before = "" if row.routes[0].to else below(row)
    for endpoint in row.endpoints:
        path = before + PART.sub("some-thing", endpoint.path)
        assert upstream.target(path.encode()).endpoint is endpoint


@pytest.mark.parametrize(
    ("slug", "path", "dialect", "asks"),
    [
        ("openai", "chat/completions", "openai_chat", True),
        ("openai", "v1/responses", "openai_responses", True),
        ("openai", "embeddings", "openai_embeddings", True),
        ("openai", "models", "", True),
        ("anthropic", "v1/messages", "anthropic", True),
        ("grok", "v1/messages", "anthropic", True),
        ("aws-bedrock", "bedrock-mantle/us-east-1/anthropic/v1/messages", "anthropic", True),
        ("groq", "openai/v1/chat/completions", "openai_chat", True),
        ("deepseek", "chat/completions", "openai_chat", True),
        ("mistral", "v1/chat/completions", "openai_chat", False),
        ("perplexity-ai", "chat/completions", "openai_chat", False),
        ("openrouter", "chat/completions", "openai_chat", False),
        ("azure-openai", "r/d/chat/completions", "openai_chat", False),
        ("cohere", "v2/chat", "cohere", True),
        ("google-ai-studio", "v1beta/models/g:generateContent", "gemini", True),
        ("google-ai-studio", "v1beta/models/g:countTokens", "", True),
        ("google-vertex-ai", "v1/projects/p/locations/eu/publishers/google/models/g:embedContent", "gemini", True),
        ("google-vertex-ai", "v1/projects/p/locations/eu/publishers/anthropic/models/c:rawPredict", "anthropic", True),
        (
            *("google-vertex-ai", "v1/projects/p/locations/eu/publishers/anthropic/models/c:streamRawPredict"),
            *("anthropic", True),
        ),
        ("google-vertex-ai", "v1/projects/p/locations/eu/publishers/mistralai/models/m:rawPredict", "", True),
        (
            *("google-vertex-ai", "v1/projects/p/locations/eu/publishers/anthropic/models/count-tokens:rawPredict"),
            *("", True),
        ),
    ],
)
def test_the_dialect_of_an_operation_and_whether_it_is_asked_for_usage(
    slug: str, path: str, dialect: str, asks: bool
) -> None:
    endpoint = Upstream(ROWS[slug]).target(path.encode()).endpoint
    assert (endpoint.dialect, endpoint.ask_usage) == (dialect, asks)


def test_a_row_is_found_by_its_aliases(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(GOOD)
    rows = catalog.load(tmp_path)
    assert rows["x"] is rows["ex"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("docs =", "dcos =", "dcos"),
        ('"https://x.example/v1"', "5", "base_url: Expected `str`"),
        ("checked = 2026-01-01", 'checked = "soon"', "checked"),
        ('"openai_chat"', '"esperanto"', "endpoints[0].dialect: unknown 'esperanto'"),
        ('path = "chat/completions"', 'path = "/chat"', "endpoints[0].path"),
        ('request_type = "chat.completions"', "", "request_type"),
        ('credential_headers = ["authorization"]', "credential_headers = []", "credential_headers"),
        ('["authorization"]', '["Authorization"]', "credential_headers[0]"),
        (
            "aliases =",
            'credential_forms = { x-key = "a" }\naliases =',
            "credential_forms.x-key: is none of credential_",
        ),
        (
            "aliases =",
            'credential_forms = { authorization = "(" }\naliases =',
            "credential_forms.authorization: missing )",
        ),
        ('id = "x"', 'id = "y"', "id"),
        ('aliases = ["ex"]', 'aliases = ["x"]', "'x' is taken"),
        ('id = "x"', "id = ", "Invalid value"),
        ('"https://x.example/v1"', '""', "base_url: is empty, so unconfigured must say what to do"),
        (
            "[[endpoints]]",
            '[[routes]]\npath = "{a}"\nto = "{b}"\n[[endpoints]]',
            "routes[0].to: the path has no part {b}",
        ),
        ("[[endpoints]]", "[[routes]]\n[[routes]]\n[[endpoints]]", "routes[1].path: None occurs twice"),
        ("[[endpoints]]", '[[routes]]\npath = "/x"\n[[endpoints]]', "routes[0].path"),
        ("[[endpoints]]", 'target_header = "x-to"\n[[endpoints]]', "target_domains: go together with target_header"),
        ('path = "chat/completions"', 'path = "{Model}"', "endpoints[0].path"),
        ('url = "https://x.example/v1/', 'url = "http://x.example/v1/', "examples[0].url"),
        (
            "[[examples]]",
            '[[unified]]\nkind = "chat"\ndialect = "gemini"\nkeyed = "v1/{zone}"\npath = "x"\n[[examples]]',
            "unified[0].keyed: no key tells {zone}",
        ),
        ("[[examples]]", "[[examples]]\ntokens = 5", "examples[0]: Object contains unknown field `tokens`"),
        (
            "[[endpoints]]",
            '[[endpoints]]\npath = "chat/completions"\nrequest_type = "a"\n[[endpoints]]',
            "occurs twice",
        ),
    ],
)
def test_a_bad_row_is_refused_by_file_and_member(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in GOOD
    (tmp_path / "x.toml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ValueError, match=r"^x\.toml: ") as refused:
        catalog.load(tmp_path)
    assert told in str(refused.value)
