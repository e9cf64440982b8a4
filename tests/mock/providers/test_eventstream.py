"""Messages of an AWS event stream can be taken apart again, and their checksums hold."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.mock.providers.eventstream import event, exception, message


def apart(data):
    """Headers and payload of every message. Raises AssertionError where a length or a checksum is wrong."""
    found = []
    while data:
        total, size, check = struct.unpack("!III", data[:12])
        whole, data = data[:total], data[total:]
        assert len(whole) == total
        assert check == zlib.crc32(whole[:8])
        assert struct.unpack("!I", whole[-4:])[0] == zlib.crc32(whole[:-4])
        headers, rest = {}, whole[12 : 12 + size]
        while rest:
            name, rest = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
            assert rest[0] == 7
            (length,) = struct.unpack("!H", rest[1:3])
            headers[name.decode()], rest = rest[3 : 3 + length].decode(), rest[3 + length :]
        found.append((headers, whole[12 + size : -4]))
    return found


@given(
    st.lists(st.tuples(st.dictionaries(st.text(min_size=1, max_size=9), st.text(max_size=9), max_size=3), st.binary()))
)
def test_messages_come_apart_as_they_were_put_together(messages):
    assert apart(b"".join(message(headers, payload) for headers, payload in messages)) == messages


def test_events_and_exceptions_say_what_they_are():
    ((told, _), (failed, payload)) = apart(event("chunk", b"{}") + exception("oops", b'{"message":"x"}'))
    assert (told[":message-type"], told[":event-type"], told[":content-type"]) == ("event", "chunk", "application/json")
    assert (failed[":message-type"], failed[":exception-type"], payload) == ("exception", "oops", b'{"message":"x"}')


def test_a_byte_that_changed_is_found():
    data = bytearray(event("chunk", b"{}"))
    data[-6] ^= 1
    with pytest.raises(AssertionError):
        apart(bytes(data))
