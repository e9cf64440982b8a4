"""A request as a value: what is told of it is what is written."""

import pytest

from penstock.model.outgoing import Outgoing
from penstock.model.plan import Origin
from tests.kit.exchange import an_exchange

ORIGIN = Origin(True, "api.example", 443)


def sent(method=b"POST", headers=None):
    return Outgoing(ORIGIN, method, b"api.example", b"/v1/x", b"?a=1", headers)


def test_the_head_is_the_request_line_the_host_the_headers_as_spelt_and_the_length():
    made = sent(headers=[(b"x-a", b"X-A", b"1"), (b"x-a", b"x-a", b"2")])
    made.body = b"hello"
    assert b"".join(made.head()) == (
        b"POST /v1/x?a=1 HTTP/1.1\r\nhost: api.example\r\nX-A: 1\r\nx-a: 2\r\ncontent-length: 5\r\n"
    )
    assert b"".join(made.head(b"http://api.example")).startswith(b"POST http://api.example/v1/x?a=1 HTTP/1.1\r\n")


@pytest.mark.parametrize(("told", "line"), [(True, b"content-length: 0\r\n"), (False, b"")])
def test_an_empty_body_has_its_length_told_where_the_client_told_it(told, line):
    made = sent(b"GET")
    made.told = told
    assert b"".join(made.head()).partition(b"api.example\r\n")[2] == line


def test_a_header_that_is_put_replaces_all_of_its_name():
    made = sent(headers=[(b"a", b"A", b"1"), (b"b", b"B", b"2"), (b"a", b"a", b"3")])
    made.put(b"a", b"4")
    assert made.headers == [(b"b", b"B", b"2"), (b"a", b"a", b"4")]


def test_a_stream_is_told_by_its_length_and_sent_as_a_body_once_all_of_it_is_held():
    made = sent()
    made.stream = an_exchange(body=b"hello").request.body
    made.stale = 0.1
    assert made.head()[-1] == b"content-length: 5\r\n"
    made.stream.length = None
    assert made.head()[-1] == b"transfer-encoding: chunked\r\n"
    made.again()
    assert (made.body, made.stream, made.stale) == (b"hello", None, None)
    assert made.head()[-1] == b"content-length: 5\r\n"
