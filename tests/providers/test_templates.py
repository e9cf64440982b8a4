"""Base URLs and paths with named parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.errors import InvalidPath
from penstock.model.plan import Origin
from penstock.providers.templates import BaseUrl, check_label, expression, fill, safe


@pytest.mark.parametrize(
    ("base", "origin", "host", "path"),
    [
        ("https://a.example:443/x", Origin(True, "a.example", 443), b"a.example", b"/x"),
        ("https://a.example:80", Origin(True, "a.example", 80), b"a.example:80", b""),
        ("http://A.example/", Origin(False, "a.example", 80), b"a.example", b""),
        ("http://[::1]:8788/x/y/", Origin(False, "::1", 8788), b"[::1]:8788", b"/x/y"),
        ("https://[2001:db8::1]", Origin(True, "2001:db8::1", 443), b"[2001:db8::1]", b""),
    ],
)
def test_a_base_url_is_an_origin_a_host_and_a_path(base, origin, host, path):
    url = BaseUrl(base, "field")
    assert url.filled({}) == (origin, host, path)
    assert url.origin == origin
    assert BaseUrl(base, "field", trusted=True).origin == origin._replace(trusted=True)


@pytest.mark.parametrize(
    "base",
    [
        *("", "x", "ftp://a/", "//a/", "http://", "http:///x", "http://a:x/", "http://a:0", "http://a:70000"),
        *("http://u:p@a/", "http://u@a/", "http://a/?q", "http://a/?", "http://a/#f", "http://a/#", "http://a b/"),
        *("http://a/\r\nx: y", "http://a\n", "http://é.example", "http://[::1", "http://[fe80::1%25eth0]/"),
        *("http://[x]", "http://a/../b", "http://a/%2e%2e/b", "http://-a/", "http://a\\b/"),
        *("http://{region}/", "http://x.{region}/", "http://{region}:80/", "http://a.{region}./", "http://{r}.10/"),
        *("http://169.254.169.{last}/", "http://{a}.0x7f/", "http://{a}{b}.example/", "http://{a.example/"),
        *("http://a.example/x{region}", "http://a.example/{Region}", "http://a.example/{", "http://{a}@b.example/"),
    ],
)
def test_a_base_url_that_cannot_be_used_or_leaves_the_domain_to_the_caller_is_refused_by_name(base):
    with pytest.raises(ValueError, match=r"^field: "):
        BaseUrl(base, "field")


def test_parts_stand_in_their_places():
    url = BaseUrl("https://x-{region}.{zone}.example/v1/{id}", "field")
    assert (url.parts, url.labels, url.origin) == ({"region", "zone", "id"}, {"region", "zone"}, None)
    origin, host, path = url.filled({"region": b"us-1", "zone": b"a", "id": b"%2Fx%20", "more": b""})
    assert (origin, host, path) == (
        Origin(True, "x-us-1.a.example", 443),
        b"x-us-1.a.example",
        b"/v1/%2Fx%20",
    )


def test_a_part_is_never_read_as_a_template():
    assert fill(b"/{a}/{b}", {"a": b"{b}", "b": b"{a}"}) == b"/{b}/{a}"


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"region": b"us"}, r"names no \{id\}"),
        ({"region": b"us", "id": b""}, r"\{id\} is empty"),
        ({"region": b"a.b", "id": b"1"}, r"\{region\} becomes part of a host name"),
        ({"region": b"a" * 62, "id": b"1"}, r"\{region\} is too long"),
    ],
)
def test_a_part_that_is_missing_or_wrong_is_told_by_its_name(parts, told):
    with pytest.raises(InvalidPath, match=told):
        BaseUrl("https://x-{region}.example/{id}", "field").filled(parts)


@given(st.binary(max_size=70))
def test_a_label_is_what_dns_takes_in_lower_case(value):
    allowed = set(b"abcdefghijklmnopqrstuvwxyz0123456789-")
    good = 0 < len(value) < 64 and set(value) <= allowed and value[:1] != b"-" and value[-1:] != b"-"
    try:
        check_label("x", value)
    except InvalidPath:
        assert not good
    else:
        assert good


@pytest.mark.parametrize(
    ("pattern", "path", "parts"),
    [
        ("models/{model}:generate", b"/models/a.b:generate", {"model": b"a.b"}),
        ("models/{model}:generate", b"/models/a%3Agenerate", {"model": b"a"}),
        ("models/{model}:generate", b"/models/a%3agenerate", {"model": b"a"}),
        ("models/{model}:generate", b"/models/a/b:generate", None),
        ("models/{model}:generate", b"/models/:generate", None),
        ("run/{model*}", b"/run/@cf/a/b", {"model": b"@cf/a/b"}),
        ("{model*}/requests/{id}", b"/a/b/requests/1", {"model": b"a/b", "id": b"1"}),
        ("a.b", b"/axb", None),
    ],
)
def test_a_pattern_takes_a_whole_path(pattern, path, parts):
    match = expression(pattern).fullmatch(path)
    assert (match and match.groupdict()) == parts


@pytest.mark.parametrize(
    ("pattern", "path", "parts"),
    [
        ("", b"", {"rest": b""}),
        ("", b"/x//y/", {"rest": b"/x//y/"}),
        ("run", b"/run", {"rest": b""}),
        ("run", b"/run/", {"rest": b"/"}),
        ("run", b"/running", None),
        ("{a}/x/{b}", b"/1/x/2/rest", {"a": b"1", "b": b"2", "rest": b"/rest"}),
        ("{a}/x/{b}", b"//x//rest", {"a": b"", "b": b"", "rest": b"/rest"}),
        ("{a}/x/{b}", b"/1/x", None),
    ],
)
def test_a_leading_pattern_takes_whole_segments_and_leaves_the_rest(pattern, path, parts):
    match = expression(pattern, leading=True).fullmatch(path)
    assert (match and match.groupdict()) == parts


DOTS = st.lists(st.sampled_from([b".", b"%2e", b"%2E", b"%252e"]), min_size=1, max_size=2).map(b"".join)
SLASH = st.sampled_from([b"/", b"\\", b"%2f", b"%2F", b"%5c", b"%5C", b"%255c"])


@given(st.sampled_from([b"", b"a", b"v1/x"]), SLASH, DOTS, SLASH, st.sampled_from([b"", b"b"]))
def test_dot_segments_in_every_spelling(before, a, dots, b, after):
    assert not safe(before + a + dots + b + after)
    assert not safe(before + a + dots)
    assert not safe(dots + b + after)
    assert not safe(dots)


@pytest.mark.parametrize(
    "path", [b"a\x00b", b"a\x7f", b"a\r\nb", b"a%00", b"a%0d%0ab", b"a%7F", b"a/..;x/b", b"..%3bx"]
)
def test_control_characters_and_cut_segments(path):
    assert not safe(path)


@pytest.mark.parametrize(
    "path",
    [
        *(b"", b"v1/chat/completions", b"models/gpt-4.1", b".well-known/x", b"a/...", b"a/b..", b"files/a%20b"),
        *(b"a//b/", b"\xff", b"model/a%3A0/invoke", b"model/arn%3Aaws%2Fx/converse"),
    ],
)
def test_plain_paths_are_safe(path):
    assert safe(path)
