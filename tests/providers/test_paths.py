"""Where each documented spelling of a call arrives, at the provider's own address and at an operator's."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.errors import InvalidPath, InvalidProvider
from penstock.gateway.compile import upstreams
from penstock.providers import catalog
from penstock.providers.templates import PART
from tests.kit import examples

ROWS = catalog.load()
UPSTREAMS = upstreams({})
VERTEX = "v1/projects/p/locations/{}/publishers/google/models/gemini-2.5-pro:generateContent"

ODD = [  # gateway path below the account and gateway -> host and path at the provider
    ("openai/v1", "api.openai.com/v1"),
    ("openai/", "api.openai.com/v1"),
    ("openai/v1beta/x", "api.openai.com/v1/v1beta/x"),
    ("openai/files/a%2Fb%20c", "api.openai.com/v1/files/a%2Fb%20c"),
    ("openai/chat/completions/", "api.openai.com/v1/chat/completions/"),
    ("anthropic/api/hello", "api.anthropic.com/api/hello"),
    ("anthropic/", "api.anthropic.com/"),
    ("baseten/model/abc123/", "model-abc123.api.baseten.co/production/predict"),
]
EXAMPLES = [
    pytest.param(row, example, id=f"{row.id}/{example.path}") for row in examples.rows() for example in row.examples
]
HERE = "http://10.0.0.1:8788"
THERE = "10.0.0.1:8788"
MOVED = [  # slug, the operator's base URL, path below the provider -> host and path
    ("openai", HERE + "/openai", "v1/chat/completions", THERE + "/openai/chat/completions"),
    ("openai", HERE + "/openai/", "chat/completions", THERE + "/openai/chat/completions"),
    ("openai", HERE, "v1/models", THERE + "/models"),
    ("openai", HERE, "v1", THERE + "/"),
    ("openai", "https://proxy.example/v1", "v1/models", "proxy.example/v1/models"),
    ("anthropic", HERE + "/anthropic", "v1/messages", THERE + "/anthropic/v1/messages"),
    ("groq", HERE, "openai/v1/chat/completions", THERE + "/chat/completions"),
    ("azure", HERE, "res/dep/chat/completions", THERE + "/chat/completions"),
    (
        "azure-openai",
        HERE + "/openai/deployments/{deployment}",
        "r/d/embeddings",
        THERE + "/openai/deployments/d/embeddings",
    ),
    ("azure-openai", "https://{resource}.ai.example/{deployment}", "r/deployments/d/x", "r.ai.example/d/x"),
    (
        "azure-openai",
        "https://az-{resource}.ai.example",
        "r/openai/v1/responses",
        "az-r.ai.example/openai/v1/responses",
    ),
    ("aws-bedrock", HERE, "bedrock-runtime/us-east-1/model/a%3A0/converse", THERE + "/model/a%3A0/converse"),
    ("bedrock", "https://vpce.{region}.aws.example", "bedrock-runtime/eu-west-1/x", "vpce.eu-west-1.aws.example/x"),
    ("google-vertex-ai", HERE, VERTEX.format("us-east5"), THERE + "/" + VERTEX.format("us-east5")),
    (
        "google-vertex-ai",
        "https://{region}.gcp.example",
        VERTEX.format("us-east5"),
        "us-east5.gcp.example/" + VERTEX.format("us-east5"),
    ),
    ("workers-ai", HERE + "/ai", "@cf/meta/llama", THERE + "/ai/run/@cf/meta/llama"),
    ("workers-ai", HERE + "/ai", "run/@cf/meta/llama", THERE + "/ai/run/@cf/meta/llama"),
    ("workers-ai", HERE + "/ai", "v1/chat/completions", THERE + "/ai/v1/chat/completions"),
    ("workers-ai", HERE + "/ai", "v1/embeddings", THERE + "/ai/v1/embeddings"),
    ("baseten", HERE, "model/abc", THERE + "/model/abc/production/predict"),
    ("baseten", HERE, "v1/models", THERE + "/v1/models"),
    ("openrouter", HERE + "/api", "chat/completions", THERE + "/api/v1/chat/completions"),
    ("openrouter", HERE + "/api", "v1/models", THERE + "/api/v1/models"),
    ("huggingface", HERE, "v1/chat/completions", THERE + "/v1/chat/completions"),
    ("huggingface", HERE, "models/org/model", THERE + "/org/model"),
    ("adobe-firefly", HERE, "v3/images/generate", THERE + "/v3/images/generate"),
]


def host(base_url):
    return base_url.partition("://")[2].partition("/")[0]


def arrived(target):
    return (target.host + target.path).decode()


@pytest.mark.parametrize(("row", "example"), EXAMPLES)
def test_a_call_arrives_where_its_example_says(row, example):
    path, _, query = example.path.partition("?")
    target = examples.upstream(row).target(path.encode())
    assert f"https://{arrived(target)}" + (f"?{query}" if query else "") == example.url
    assert (target.provider, target.query) == (row.id, None)
    assert target.origin == (True, host(example.url), 443, bool(row.unconfigured))
    assert target.endpoint.request_type == example.request_type
    assert target.model == example.model or (target.endpoint.dialect and not target.model)


@pytest.mark.parametrize("row", examples.rows(), ids=lambda row: row.id)
def test_every_route_of_every_provider_has_an_example(row):
    """A route that no example needs could be wrong, or behind a wider one."""
    for route in row.routes:
        others = msgspec.structs.replace(row, routes=tuple(one for one in row.routes if one is not route))
        assert any(leads(others, example) != leads(row, example) for example in row.examples), route.path


def leads(row, example):
    try:
        return arrived(examples.upstream(row).target(example.path.partition("?")[0].encode()))
    except InvalidPath:
        return None


@pytest.mark.parametrize(("path", "there"), ODD)
def test_odd_spellings_of_a_path_arrive_as_they_came(path, there):
    slug, _, rest = path.partition("/")
    assert arrived(UPSTREAMS[slug].target(rest.encode())) == there


@pytest.mark.parametrize(("slug", "base", "path", "there"), MOVED)
def test_an_operators_address_takes_the_place_of_origin_and_base_path(slug, base, path, there):
    target = upstreams({slug: base})[slug].target(path.encode())
    assert arrived(target) == there
    assert target.origin.trusted


@pytest.mark.parametrize("slug", [row.id for row in examples.rows() if row.unconfigured])
def test_a_provider_that_waits_for_its_address_says_what_to_configure(slug):
    with pytest.raises(InvalidProvider, match=rf"\[providers\.{slug}\] base_url = ") as refused:
        UPSTREAMS[slug].target(b"run/x")
    assert (refused.value.status, refused.value.code) == (400, 2008)
    assert UPSTREAMS[slug].origins == []


@pytest.mark.parametrize(
    "path",
    [
        *("azure", "azure/res", "aws-bedrock/", "aws-bedrock/bedrock-runtime", "aws-bedrock/s3/us-east-1/x"),
        *("aws-bedrock/model/m/converse", "google-vertex-ai/v1/projects/p/locations", "google-vertex-ai/"),
    ],
)
def test_a_path_without_what_the_address_is_made_of_is_refused_with_the_forms_there_are(path):
    slug, _, rest = path.partition("/")
    with pytest.raises(InvalidPath, match=f"after {ROWS[slug].id}/ comes one of ") as refused:
        UPSTREAMS[slug].target(rest.encode())
    assert (refused.value.status, refused.value.code) == (400, 2008)


HOSTS = {  # slug -> what stands before and after the part of a host, and the part's name
    "azure-openai": ("", "/dep/chat/completions", "resource"),
    "aws-bedrock": ("bedrock-runtime/", "/model/m/converse", "region"),
    "google-vertex-ai": ("v1/projects/p/locations/", "/publishers/google/models/g:x", "region"),
    "baseten": ("model/", "/production/predict", "model"),
}
NO_LABELS = [
    *("", "a.b", "169.254.169.254", "a%2eb", "%61", "UPPER", "a_b", "-a", "a-", "a" * 64, "evil.example%23", "a@b"),
    *("a:80", "[::1]", "a%00", "é", "a b", "{region}", "..", "xn--\xe9", "a\\b", "*", "localhost.", "0x7f.1"),
]


@pytest.mark.parametrize("slug", HOSTS)
@pytest.mark.parametrize("value", NO_LABELS)
@pytest.mark.parametrize("base", [None, "http://127.0.0.1:1"])
def test_a_part_of_a_host_that_is_no_label_is_refused_by_name(slug, value, base):
    before, after, name = HOSTS[slug]
    upstream = upstreams({slug: base} if base else {})[slug]
    with pytest.raises(InvalidPath, match=rf"\{{{name}\}}") as refused:
        upstream.target((before + value + after).encode("latin-1"))
    assert (refused.value.status, refused.value.code) == (400, 2008)


def test_a_label_that_the_address_makes_too_long_is_refused():
    region = b"a" * 60
    with pytest.raises(InvalidPath, match="too long"):
        UPSTREAMS["google-vertex-ai"].target(b"v1/projects/p/locations/%b/x" % region)
    assert len(UPSTREAMS["azure-openai"].target(b"a" * 63 + b"/d/x").origin.host) == 63 + len(".openai.azure.com")


OWN = {  # slug -> what its hosts look like
    slug: re.compile(
        "|".join(PART.sub("[a-z0-9-]{1,63}", host(route.base_url or row.base_url)) for route in row.routes)
    )
    for slug, row in ROWS.items()
}
PIECES = st.sampled_from(
    [
        *("v1", "/", "//", "model", "bedrock-runtime", "us-east-1", "projects", "locations", "x.example", "\\", "#"),
        *("127.0.0.1", "%2f", "%2e", "https:", "?", "{region}", "deployments", "openai", "p", ":80", "%00", "\xe9"),
        *("@evil.example", "publishers", "global", "@cf", "run"),
    ]
)
PATHS = st.lists(PIECES, max_size=9).map("".join) | st.lists(PIECES, min_size=1, max_size=9).map("/".join)


@given(st.sampled_from(sorted(ROWS)), PATHS)
def test_the_host_is_the_rows_own_or_the_operators_and_never_the_callers(slug, path):
    for base, own in ((None, OWN[slug]), ("http://operator.example:8788/base", re.compile("operator.example"))):
        try:
            target = upstreams({slug: base} if base else {})[slug].target(path.encode("latin-1"))
        except (InvalidPath, InvalidProvider):
            continue
        assert own.fullmatch(target.origin.host)
        assert target.host.decode().removesuffix(":8788") == target.origin.host
        assert target.path.startswith(b"/base" if base else b"/")


SEGMENTS = st.lists(st.text("aZ19-_.~%:@&=+{}", max_size=6), min_size=6, max_size=12)


@given(st.sampled_from([slug for slug, row in ROWS.items() if not row.unconfigured]), SEGMENTS)
def test_the_bytes_of_a_path_survive(slug, segments):
    """All but what the address is made of, five segments at the most."""
    path = "/".join(segments).encode()
    try:
        target = UPSTREAMS[slug].target(path)
    except InvalidPath:
        return
    assert target.path.endswith(b"/" + path.split(b"/", 5)[5])
    assert target.path.endswith(b"/" + path) or len(ROWS[slug].routes) > 1


@given(st.sampled_from(["bedrock-runtime/us-east-1/", "bedrock-mantle/eu-west-1/"]), SEGMENTS)
def test_what_a_client_signed_for_bedrock_arrives_byte_for_byte(place, segments):
    path = "/".join(segments)
    target = UPSTREAMS["aws-bedrock"].target((place + path).encode())
    assert target.path == b"/" + path.encode()
    assert target.query is None
