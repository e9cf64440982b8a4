"""What a head says of its message, as the parser tells it, and where a request goes by it."""

import json

import httptools
import pytest
import pytest_asyncio

from penstock.core.errors import MalformedRequest
from penstock.proxy import head
from tests.kit.house import house
from tests.kit.store import ACCOUNT


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
    ([HOST, b"Expect: 100-Continue"], b"1.1", (0, False, False, True)),
    ([HOST, b"expect: something"], b"1.1", (0, False, False, False)),
    ([HOST, b"expect: 100-continue"], b"1.0", (0, True, True, False)),
    ([HOST, b"connection: keep-alive"], b"1.0", (0, True, True, False)),
    ([], b"1.0", (0, True, True, False)),
    ([], b"1.1", ONE_HOST),
    ([b"connection: close"], b"1.1", ONE_HOST),
    ([HOST, HOST], b"1.1", ONE_HOST),
    ([HOST, HOST], b"1.0", ONE_HOST),
    ([HOST, b"transfer-encoding: chunked"], b"1.0", "HTTP/1.0 has no transfer codings."),
    ([HOST], b"2.0", OLD),
    ([HOST], b"0.9", OLD),
])  # fmt: skip
def test_a_head_says_how_its_message_is_framed(lines, version, said):
    assert Told(*lines, version=version).said == said


@pytest.mark.parametrize(("url", "path"), [
    (b"/a?b", b"/a?b"), (b"*", b"*"), (b"http://x", b"/"), (b"http://x/a?b", b"/a?b"),
    (b"https://u@x:1/v1/a", b"/v1/a"), (b"HTTP://x?a", b"/?a"), (b"http://x/a?", b"/a?"),
    (b"http://x/a?b?c//d", b"/a?b?c//d"),
])  # fmt: skip
def test_a_target_counts_by_its_path(url, path):
    assert head.target(url) == path


@pytest.mark.parametrize("url", [b"", b"x", b"a.b:443", b"http:///v1/x", b"ftp://x/", b"ws://x/", b"*x", b"*/v1/x"])
def test_a_target_without_a_path_is_malformed(url):
    with pytest.raises(MalformedRequest, match="is no path"):
        head.target(url)


def test_the_size_of_a_head_is_that_of_its_lines():
    assert head.size(b"/a", [(b"x", b"X", b"yy"), (b"z", b"z", b"")]) == len(b"/aX: yy\r\nz: \r\n")


@pytest.mark.parametrize("url", [b"/a#b", b"/a?b#c", b"#", b"http://x/a#b", b"*#"])
def test_a_target_has_no_fragment(url):
    with pytest.raises(MalformedRequest, match="fragment"):
        head.target(url)


# Where odd targets go

CALL = f"/v1/{ACCOUNT}/default/openai/"
PROVIDER, CONTROL = "provider", "control plane"
TARGETS = {
    CALL + "x": (200, PROVIDER, "/openai/x"),
    CALL + "x//y": (200, PROVIDER, "/openai/x//y"),
    CALL + "a%2Fb?c=%2F&d": (200, PROVIDER, "/openai/a%2Fb?c=%2F&d"),
    CALL + "%zz%": (200, PROVIDER, "/openai/%zz%"),
    "http://elsewhere.example" + CALL + "x": (200, PROVIDER, "/openai/x"),
    "https://api.openai.com:443" + CALL + "x": (200, PROVIDER, "/openai/x"),
    "HTTP://user:password@[::1]:99" + CALL + "x": (200, PROVIDER, "/openai/x"),
    CALL + "../x": (400, 2008, ""),
    CALL + "%2e%2E/x": (400, 2008, ""),
    CALL + "..%2fx": (400, 2008, ""),
    CALL + "x%5C..%5cy": (400, 2008, ""),
    CALL + "x\\..\\y": (400, 2008, ""),
    CALL + "x%00": (400, 2008, ""),
    f"/v1/{ACCOUNT}/default/openai%2Fx": (400, 2008, ""),
    f"/v1/{ACCOUNT}/default/openai\\x": (400, 2008, ""),
    f"/v1/{ACCOUNT}/default//x": (400, 2008, ""),
    f"/v1/{ACCOUNT}/default/OpenAI/x": (400, 2008, ""),
    f"/v1/{ACCOUNT}//openai/x": (400, 2001, ""),
    f"/v1/{ACCOUNT}/../default/openai/x": (400, 2001, ""),
    f"/v1/{ACCOUNT}%2Fdefault/openai/x/y": (400, 2001, ""),
    f"/v1/{ACCOUNT.upper()}/other/openai/x": (400, 2001, ""),
    "/v1": (404, 2004, ""),
    "/v1/": (404, 2004, ""),
    "/v1/../healthz": (405, 2006, ""),
    f"/v1/{ACCOUNT}": (404, 2004, ""),
    "/v1/" + "x" * 60_000: (404, 2004, ""),
    f"//v1/{ACCOUNT}/default/openai/x": (404, CONTROL, 7003),
    f"//elsewhere.example/v1/{ACCOUNT}/default/openai/x": (404, CONTROL, 7003),
    f"/v1%2F{ACCOUNT}/default/openai/x": (404, CONTROL, 7003),
    f"/v1\\{ACCOUNT}/default/openai/x": (404, CONTROL, 7003),
    f"/V1/{ACCOUNT}/default/openai/x": (404, CONTROL, 7003),
    "/./healthz": (404, CONTROL, 7003),
    "/healthz/": (404, CONTROL, 7003),
    "//healthz": (404, CONTROL, 7003),
    "/%ff%00": (404, CONTROL, 7003),
    "/" + "%2F" * 20_000: (404, CONTROL, 7003),
    "*": (404, CONTROL, 7003),
    "http://elsewhere.example": (405, CONTROL, 7001),
    "http://elsewhere.example?x": (405, CONTROL, 7001),
    "/healthz#x": (400, 2019, ""),
    "/a\tb": (400, CONTROL, 7001),
    CALL + "x#y": (400, 2019, ""),
    CALL + "\xe9": (400, 2019, ""),
    "ftp://x/healthz": (400, 2019, ""),
    "elsewhere.example:443": (400, 2019, ""),
    "elsewhere.example/healthz": (400, 2019, ""),
    "\\v1\\x": (400, 2019, ""),
    "http://[::1/healthz": (400, 2019, ""),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house() as made:
        yield made
        await made.quiet()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.replace(ACCOUNT, "{account}")[:60])
async def test_an_odd_target_has_its_documented_answer(there, target):
    status, who, more = TARGETS[target]
    begun = there.mock.stats()["requests_begun"]
    lines = f"OPTIONS {target} HTTP/1.1\r\nhost: elsewhere.example\r\nx-mock-echo: 1\r\n\r\n"
    async with there.client() as client:
        answer = await client.ask(lines.encode("latin-1"))
    told = json.loads(answer.body)
    assert answer.status == status
    if who == PROVIDER:
        assert told["target"] == more
        assert ["host", f"127.0.0.1:{there.mock.port}"] in told["headers"]
        return
    if who == CONTROL:
        assert told["errors"][0]["code"] == more
    else:
        assert told["internalCode"] == who
    assert there.mock.stats()["requests_begun"] == begun
