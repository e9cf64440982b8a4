"""What a row, compiled, tells of a path: the operation, the model, and a target that a header names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.errors import InvalidPath
from penstock.model.plan import Origin
from penstock.providers import catalog
from penstock.providers.upstream import Upstream

ROWS = catalog.load()
FAL = b"x-fal-target-url"


@pytest.mark.parametrize(
    ("slug", "base", "told"),
    [
        ("openai", "ftp://a", "must begin with http"),
        ("openai", "http://u:p@a/", "credentials"),
        ("openai", "https://{region}.example", r"no part \{region\}; they have none"),
        (
            "azure-openai",
            "https://{region}.example",
            r"no part \{region\}; they have \{base\}, \{deployment\}, \{resource\}",
        ),
        ("azure-openai", "https://{resource}", "domain of its own"),
    ],
)
def test_an_operators_address_that_cannot_be_used_is_refused_by_name(slug, base, told):
    with pytest.raises(ValueError, match=rf"^providers\.{slug}\.base_url: .*{told}"):
        Upstream(ROWS[slug], base)


def test_an_address_that_names_a_part_which_a_path_lacks_refuses_that_path():
    upstream = Upstream(ROWS["azure-openai"], "https://{resource}.example/{deployment}")
    with pytest.raises(InvalidPath, match=r"names no \{deployment\}"):
        upstream.target(b"res/openai/v1/responses")


@given(st.text("abv1./%-", max_size=30).map(str.encode))
def test_the_prefix_is_never_doubled(path):
    upstream = Upstream(ROWS["openai"])
    assert upstream.target(b"v1/" + path).path == b"/v1/" + path
    assert upstream.target(b"v1/" + path).endpoint is upstream.target(path).endpoint or path.startswith((b"v1", b"/v1"))


def test_origins_are_those_that_no_path_changes():
    assert Upstream(ROWS["openai"]).origins == [Origin(True, "api.openai.com", 443)]
    assert Upstream(ROWS["baseten"]).origins == [Origin(True, "inference.baseten.co", 443)]
    assert Upstream(ROWS["azure-openai"]).origins == []
    assert Upstream(ROWS["aws-bedrock"], "http://127.0.0.1:1/x").origins == [Origin(False, "127.0.0.1", 1, True)]


@pytest.mark.parametrize(
    ("slug", "path", "kind", "model"),
    [
        ("openai", "chat/completions", "chat.completions", ""),
        ("openai", "unheard/of", None, ""),
        (
            "google-ai-studio",
            "v1beta/models/gemini-2.5-pro:generateContent",
            "models.generateContent",
            "gemini-2.5-pro",
        ),
        ("google-ai-studio", "v1beta/models/g%3AcountTokens", "models.countTokens", "g"),
        (
            "google-vertex-ai",
            "v1/projects/p/locations/global/publishers/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict",
            "models.streamRawPredict",
            "claude-sonnet-4-5@20250929",
        ),
        ("azure-openai", "res/my%20dep/chat/completions", "chat.completions", "my dep"),
        ("azure-openai", "res/dep/unheard", None, "dep"),
        ("aws-bedrock", "bedrock-runtime/us-east-1/model/a.b-v1%3A0/converse", "converse", "a.b-v1:0"),
        ("aws-bedrock", "bedrock-mantle/us-east-1/anthropic/v1/messages", "messages", ""),
        ("huggingface", "org/model", "models.run", "org/model"),
        ("huggingface", "gpt2", "models.run", "gpt2"),
        ("replicate", "models/meta/llama/predictions", "models.predictions", ""),
        ("fal", "fal-ai/flux/dev", "run", "fal-ai/flux/dev"),
        ("fal", "fal-ai/flux/requests/1-2/status", "queue.status", "fal-ai/flux"),
        ("workers-ai", "@cf/meta/llama-3.1-8b-instruct", "run", "@cf/meta/llama-3.1-8b-instruct"),
        ("baseten", "model/abc", "predict", "abc"),
        ("elevenlabs", "v1/text-to-speech/voice", "text-to-speech", ""),
        ("ideogram", "v1/ideogram-v3/generate", "generate", "ideogram-v3"),
    ],
)
def test_the_operation_and_the_model_that_a_path_names(slug, path, kind, model):
    base = "http://x.example" if ROWS[slug].unconfigured else None
    for upstream in (Upstream(ROWS[slug], base), Upstream(ROWS[slug], "http://127.0.0.1:8788/x")):
        target = upstream.target(path.encode())
        assert (target.endpoint.request_type, target.model) == (kind, model)


def test_a_model_name_is_text_of_bounded_length():
    upstream = Upstream(ROWS["aws-bedrock"])
    assert upstream.target(b"bedrock-runtime/r/model/%ff%C3%A9/converse").model == "\ufffdé"
    assert len(upstream.target(b"bedrock-runtime/r/model/" + b"m" * 5000 + b"/converse").model) == 256


def fal(*values, base=None, path=b"fal-ai/own"):
    return Upstream(ROWS["fal"], base).target(path, [(FAL, b"X-Fal-Target-Url", value) for value in values])


@pytest.mark.parametrize(
    ("url", "host", "path", "query"),
    [
        (b"https://fal.run/fal-ai/x", "fal.run", b"/fal-ai/x", b""),
        (b"https://queue.fal.run/fal-ai/x?a=%2F&b", "queue.fal.run", b"/fal-ai/x", b"?a=%2F&b"),
        (b"https://rest.alpha.fal.ai/tokens/", "rest.alpha.fal.ai", b"/tokens/", b""),
        (b"https://fal.ai", "fal.ai", b"/", b""),
        (b"https://fal.ai?x=https://evil.example/", "fal.ai", b"/", b"?x=https://evil.example/"),
    ],
)
def test_a_header_names_the_whole_target_within_its_domains_and_stays_here(url, host, path, query):
    target = fal(url)
    assert target.origin == Origin(True, host, 443)
    assert (target.host, target.path, target.query) == (host.encode(), path, query)
    assert target.stays == {FAL}
    moved = fal(url, base="http://127.0.0.1:8788/fal")
    assert moved.origin == Origin(False, "127.0.0.1", 8788, trusted=True)
    assert (moved.path, moved.query) == (b"/fal" + path, query)


@pytest.mark.parametrize(
    "url",
    [
        *(b"", b"fal.run", b"//fal.run/x", b"http://fal.run/x", b"HTTPS://fal.run/x", b"https:/fal.run/x", b"https://"),
        *(b"https://FAL.run/x", b"https://fal.run./x", b"https://fal.run:443/x", b"https://fal.run:80/x"),
        *(
            b"https://u@fal.run/x",
            b"https://u:p@fal.run/x",
            b"https://evil.example@fal.run/x",
            b"https://fal.run@evil/",
        ),
        *(b"https://evil.example/fal.run", b"https://fal.run.evil.example/x", b"https://evilfal.run/x"),
        *(b"https://evil.example/?https://fal.run/", b"https://evil.example#fal.run", b"https://fal.run#x"),
        *(
            b"https://evil.example\\.fal.run/",
            b"https://evil.example\\@fal.run/",
            b"https://fal.run\\x",
            b"https:\\fal.run",
        ),
        *(
            "https://fäl.run/x".encode(),
            b"https://xn--fl-fka.fal.run/x",
            b"https://a_b.fal.run/x",
            b"https://.fal.run/x",
        ),
        *(b"https://a..fal.run/x", b"https://-a.fal.run/x", b"https://%66al.run/x", b"https://fal.run%2f/x"),
        *(b"https://fal.run/../x", b"https://fal.run/a/%2e%2e/x", b"https://fal.run/a b", b"https://fal.run/\x00"),
        *(b"https://fal.run/%0d%0ax", b" https://fal.run/x", b"https://127.0.0.1/x", b"https://[::1]/fal.run"),
        b"https://" + b"a." * 40 + b"fal.run/x",
    ],
)
@pytest.mark.parametrize("base", [None, "http://127.0.0.1:8788/fal"])
def test_a_header_that_names_any_other_place_is_refused(url, base):
    with pytest.raises(InvalidPath, match=r"x-fal-target-url must be an https URL of fal\.run, fal\.ai or below"):
        fal(url, base=base)


@pytest.mark.parametrize(
    "rest", [b"x?key=%b", b"%b", b"a/%b/x", b"a%%20%b", b"x?%b", b"x?url=https://x/?key=%%22%b", b"x?a=Bearer+%b"]
)
@pytest.mark.parametrize("token", [b"pst_0123456789abcdef", b"%70%73%74%5f0123456789abcdef", b"p%2573t%255F0123456789"])
@pytest.mark.parametrize("base", [None, "http://127.0.0.1:8788/fal"])
def test_a_header_that_holds_what_looks_like_ours_is_refused_and_not_repeated(rest, token, base):
    with pytest.raises(InvalidPath, match="x-fal-target-url holds what looks like a token") as caught:
        fal(b"https://fal.run/" + rest % token, base=base)
    assert "0123456789" not in caught.value.message
    assert (caught.value.status, caught.value.code) == (400, 2008)


def test_two_headers_are_one_too_many():
    with pytest.raises(InvalidPath, match="more than once"):
        fal(b"https://fal.run/x", b"https://fal.run/x")


def test_the_header_means_nothing_to_other_providers():
    target = Upstream(ROWS["openai"]).target(b"models", [(FAL, FAL, b"https://fal.run/x")])
    assert (target.host, target.stays) == (b"api.openai.com", frozenset())
    assert not Upstream(ROWS["openai"]).by_header
    assert Upstream(ROWS["fal"]).by_header


@given(st.text("htps:/.falrunx@\\%#?[]0", max_size=40))
def test_no_header_leads_out_of_its_domains(rest):
    try:
        target = fal(b"https://" + rest.encode())
    except InvalidPath:
        return
    assert f".{target.origin.host}".endswith((".fal.run", ".fal.ai"))
