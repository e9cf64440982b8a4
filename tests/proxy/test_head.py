"""What a head says of its message, as the parser tells it."""

import httptools
import pytest

from penstock.core.errors import MalformedRequest
from penstock.proxy import head


class Told:
    """Reads one head."""

    def __init__(self, *lines, version=b"1.1"):
        self.headers, self.said = [], None
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(b"\r\n".join([b"POST / HTTP/%b" % version, *lines, b"", b""]))

    def on_header(self, name, value):
        self.headers.append((name.lower(), name, value))

    def on_headers_complete(self):
        try:
            self.said = head.read(self.parser, self.headers)
        except MalformedRequest as error:
            self.said = error.message.partition(": ")[2]


HOST = b"Host: x"
ONE_HOST = "it must have one Host header."
OLD = "the versions understood are HTTP/1.1 and HTTP/1.0."


@pytest.mark.parametrize(("lines", "version", "said"), [
    ([HOST], b"1.1", (0, False, False, False)),
    ([HOST, b"content-length: 5"], b"1.1", (5, False, False, False)),
    ([HOST, b"Transfer-Encoding: Chunked"], b"1.1", (None, False, False, False)),
    ([HOST, b"connection: close"], b"1.1", (0, True, False, False)),
    ([HOST, b"connection: x-own"], b"1.1", (0, False, False, False)),
    ([HOST, b"expect: 100-continue"], b"1.1", (0, False, False, True)),
    ([HOST, b"expect: 100-continue"], b"1.0", (0, True, True, False)),
    ([HOST, b"connection: keep-alive"], b"1.0", (0, True, True, False)),
    ([], b"1.0", (0, True, True, False)),
    ([], b"1.1", ONE_HOST),
    ([b"connection: close"], b"1.1", ONE_HOST),
    ([HOST, HOST], b"1.1", ONE_HOST),
    ([HOST, HOST], b"1.0", ONE_HOST),
    ([HOST], b"2.0", OLD),
    ([HOST], b"0.9", OLD),
])  # fmt: skip
def test_a_head_says_how_its_message_is_framed(lines, version, said):
    assert Told(*lines, version=version).said == said


@pytest.mark.parametrize(("url", "path"), [
    (b"/a?b", b"/a?b"), (b"*", b"*"), (b"http://x", b"/"), (b"http://x/a?b", b"/a?b"),
    (b"https://u@x:1/v1/a", b"/v1/a"),
])  # fmt: skip
def test_a_target_counts_by_its_path(url, path):
    assert head.target(url) == path


@pytest.mark.parametrize("url", [b"", b"x", b"a.b:443", b"http:///v1/x"])
def test_a_target_without_a_path_is_malformed(url):
    with pytest.raises(MalformedRequest, match="is no path"):
        head.target(url)


def test_the_size_of_a_head_is_that_of_its_lines():
    assert head.size(b"/a", [(b"x", b"X", b"yy"), (b"z", b"z", b"")]) == len(b"/aX: yy\r\nz: \r\n")
