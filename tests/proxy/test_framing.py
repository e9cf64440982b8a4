"""An application's answer as bytes: what a strict parser of HTTP reads from them."""

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.proxy.framing import Answer

DATE = [(b"date", b"today")]


class Parsed:
    """What a client's parser sees."""

    def __init__(self, data):
        self.headers, self.body, self.whole, self.keeps = {}, b"", False, False
        self.parser = httptools.HttpResponseParser(self)
        self.parser.feed_data(data)

    def on_header(self, name, value):
        assert name not in self.headers
        self.headers[name] = value

    def on_body(self, data):
        self.body += data

    def on_message_complete(self):
        self.whole, self.keeps = True, self.parser.should_keep_alive()


def written(pieces, *, status=200, headers=(), method=b"GET", http10=False, close=False):
    """The bytes of an answer in these pieces, and the answer."""
    answer = Answer(method, http10=http10)
    answer.start(status, headers)
    last = len(pieces) - 1
    out = [answer.feed(p, more=at < last, common=DATE, close=close) for at, p in enumerate(pieces)]
    return b"".join(out), answer


@given(st.lists(st.binary(max_size=50), min_size=1), st.booleans(), st.booleans())
def test_what_was_fed_is_what_arrives(pieces, told, close):
    body = b"".join(pieces)
    headers = [(b"Content-Length", b"%d" % len(body))] if told else []
    data, answer = written(pieces, headers=headers, close=close)
    seen = Parsed(data)
    assert (seen.body, seen.whole, answer.complete) == (body, True, True)
    assert seen.keeps is not close
    assert answer.close is close
    length = seen.headers.get(b"content-length")
    assert (length is None) == (not told and len(pieces) > 1)
    assert length is None or int(length) == len(body)


@given(st.lists(st.binary(max_size=50), min_size=2))
def test_an_old_client_reads_to_the_end_of_the_connection(pieces):
    data, answer = written(pieces, http10=True)
    head, _, body = data.partition(b"\r\n\r\n")
    assert body == b"".join(pieces)
    assert answer.close
    assert b"connection: close" in head
    assert b"transfer-encoding" not in head


@given(st.lists(st.binary(max_size=50), min_size=1), st.sampled_from([204, 304]))
def test_what_has_no_body_ends_with_its_head(pieces, status):
    data, _ = written(pieces, status=status)
    assert data.endswith(b"\r\n\r\n")
    assert data.count(b"\r\n\r\n") == 1
    assert Parsed(data).whole


@pytest.mark.parametrize(("headers", "pieces", "length"), [
    ([(b"content-length", b"9")], [b""], b"9"),
    ([(b"content-length", b"9")], [b"123456789"], b"9"),
    ([], [b"1234"], b"4"),
    ([], [b""], None),
    ([], [b"1", b"2"], None),
])  # fmt: skip
def test_head_tells_the_length_of_what_get_would_send(headers, pieces, length):
    data, _ = written(pieces, headers=headers, method=b"HEAD")
    head, _, body = data.partition(b"\r\n\r\n")
    assert body == b""
    assert (b"content-length: %b" % length in head) if length else (b"content-length" not in head)


def test_the_framing_is_not_the_applications_to_choose():
    seen = Parsed(written([b"a", b"b"], headers=[(b"transfer-encoding", b"gzip")])[0])
    assert (seen.headers[b"transfer-encoding"], seen.body) == (b"chunked", b"ab")


def test_an_application_may_end_the_connection():
    data, answer = written([b""], headers=[(b"Connection", b"Close")])
    assert answer.close
    assert data.count(b"connection") == 1


def test_headers_of_every_answer_are_there():
    assert Parsed(written([b""])[0]).headers == {b"date": b"today", b"content-length": b"0"}


@given(st.binary(max_size=8), st.binary(max_size=8))
def test_a_header_is_one_line_or_refused(name, value):
    try:
        data, _ = written([b""], headers=[(name, value)])
    except ValueError:
        return
    assert len(data.split(b"\r\n")) == 6
    assert data.count(b"\r") == data.count(b"\n") == 5


@pytest.mark.parametrize(("status", "headers"), [
    (101, []), (1000, []), (200, [(b"", b"x")]), (200, [(b"a b", b"x")]), (200, [(b"a:", b"x")]),
    (200, [(b"a", b"x\r\nb: c")]), (200, [(b"a", b"x\ny")]), (200, [(b"a", b"\0")]), (200, [(b"content-length", b"x")]),
    (200, [(b"content-length", b"-1")]),
])  # fmt: skip
def test_what_makes_no_head_is_refused(status, headers):
    with pytest.raises(ValueError, match=r"."):
        Answer(b"GET", http10=False).start(status, headers)


def test_what_is_out_of_order_or_not_as_told_is_refused():
    answer = Answer(b"GET", http10=False)
    with pytest.raises(ValueError, match="before the start"):
        answer.feed(b"", more=False, common=(), close=False)
    answer.start(200, [(b"content-length", b"2")])
    with pytest.raises(ValueError, match="twice"):
        answer.start(200, ())
    assert answer.feed(b"1", more=True, common=(), close=False).endswith(b"\r\n\r\n1")
    for piece in (b"", b"23"):
        with pytest.raises(ValueError, match="content-length"):
            answer.feed(piece, more=False, common=(), close=False)
    assert (answer.begun, answer.complete) == (True, False)
