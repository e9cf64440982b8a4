"""Paths land where the provider, or the operator, has them; nothing leads out of there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.ports.transport import Origin
from penstock.providers import catalog
from penstock.providers.upstream import Upstream, safe

ROWS = catalog.load()


@pytest.mark.parametrize(
    ("slug", "base", "path", "target"),
    [
        ("openai", None, b"chat/completions", b"/v1/chat/completions"),
        ("openai", None, b"v1/chat/completions", b"/v1/chat/completions"),
        ("openai", None, b"v1beta/x", b"/v1/v1beta/x"),
        ("openai", None, b"v1", b"/v1"),
        ("openai", None, b"", b"/v1"),
        ("openai", None, b"files/a%2Fb%20c", b"/v1/files/a%2Fb%20c"),
        ("openai", None, b"chat/completions/", b"/v1/chat/completions/"),
        ("openai", "http://127.0.0.1:8788/openai", b"v1/chat/completions", b"/openai/chat/completions"),
        ("openai", "http://127.0.0.1:8788/openai/", b"chat/completions", b"/openai/chat/completions"),
        ("openai", "http://127.0.0.1:8788", b"v1/models", b"/models"),
        ("openai", "http://127.0.0.1:8788", b"v1", b"/"),
        ("openai", "https://proxy.example/v1", b"v1/models", b"/v1/models"),
        ("anthropic", None, b"v1/messages", b"/v1/messages"),
        ("anthropic", None, b"", b"/"),
        ("anthropic", "http://127.0.0.1:8788/anthropic", b"v1/messages", b"/anthropic/v1/messages"),
    ],
)
def test_targets(slug: str, base: str | None, path: bytes, target: bytes) -> None:
    assert Upstream(ROWS[slug], base).target(path) == target


@pytest.mark.parametrize(
    ("base", "origin", "host"),
    [
        (None, Origin(True, "api.openai.com", 443), b"api.openai.com"),
        ("https://a.example:443/x", Origin(True, "a.example", 443), b"a.example"),
        ("https://a.example:80", Origin(True, "a.example", 80), b"a.example:80"),
        ("http://A.example", Origin(False, "a.example", 80), b"a.example"),
        ("http://[::1]:8788/x", Origin(False, "::1", 8788), b"[::1]:8788"),
        ("https://[2001:db8::1]", Origin(True, "2001:db8::1", 443), b"[2001:db8::1]"),
    ],
)
def test_origins(base: str | None, origin: Origin, host: bytes) -> None:
    upstream = Upstream(ROWS["openai"], base)
    assert upstream.origin == origin
    assert upstream.host == host


@pytest.mark.parametrize(
    "base",
    [
        *("", "x", "ftp://a/", "//a/", "http://", "http:///x", "http://a:x/", "http://a:0", "http://a:70000"),
        *("http://u:p@a/", "http://u@a/", "http://a/?q", "http://a/?", "http://a/#f", "http://a/#", "http://a b/"),
        *(
            "http://a/\r\nx: y",
            "http://a\n",
            "http://é.example",
            "http://[::1",
            "http://[fe80::1%25eth0]/",
            "http://[x]",
        ),
        *("http://a/../b", "http://a/%2e%2e/b", "http://-a/", "http://a\\b/"),
    ],
)
def test_a_base_url_that_cannot_be_used_is_refused_by_name(base: str) -> None:
    with pytest.raises(ValueError, match=r"^providers\.openai\.base_url: "):
        Upstream(ROWS["openai"], base)


@given(st.text("abv1./%-", max_size=30).map(str.encode))
def test_the_prefix_is_never_doubled(path: bytes) -> None:
    upstream = Upstream(ROWS["openai"])
    assert upstream.target(b"v1/" + path) == b"/v1/" + path
    assert upstream.endpoint(b"v1/" + path) is upstream.endpoint(path) or path.startswith(b"v1/")


DOTS = st.lists(st.sampled_from([b".", b"%2e", b"%2E", b"%252e"]), min_size=1, max_size=2).map(b"".join)
SLASH = st.sampled_from([b"/", b"\\", b"%2f", b"%2F", b"%5c", b"%5C", b"%255c"])


@given(st.sampled_from([b"", b"a", b"v1/x"]), SLASH, DOTS, SLASH, st.sampled_from([b"", b"b"]))
def test_dot_segments_in_every_spelling(before: bytes, a: bytes, dots: bytes, b: bytes, after: bytes) -> None:
    assert not safe(before + a + dots + b + after)
    assert not safe(before + a + dots)
    assert not safe(dots + b + after)
    assert not safe(dots)


@pytest.mark.parametrize(
    "path", [b"a\x00b", b"a\x7f", b"a\r\nb", b"a%00", b"a%0d%0ab", b"a%7F", b"a/..;x/b", b"..%3bx"]
)
def test_control_characters_and_cut_segments(path: bytes) -> None:
    assert not safe(path)


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"v1/chat/completions",
        b"models/gpt-4.1",
        b".well-known/x",
        b"a/...",
        b"a/b..",
        b"files/a%20b",
        b"a//b/",
        b"\xff",
    ],
)
def test_plain_paths_are_safe(path: bytes) -> None:
    assert safe(path)
