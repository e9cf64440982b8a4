import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core import codec

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_values_come_back_from_json_and_messagepack(value):
    assert codec.decode(codec.encode(value)) == value
    assert codec.unpack(codec.pack(value)) == value


class Point(codec.Struct):
    x: int


def test_a_decoder_reads_one_shape_and_skips_what_it_does_not_know():
    assert codec.decoder(Point).decode(b'{"x": 1, "y": 2}') == Point(1)
    assert codec.unpacker(Point).decode(codec.pack({"x": 1, "y": 2})) == Point(1)


@pytest.mark.parametrize("data", [b"", b"{", b'{"x": "1"}', b"[]", b"\xff"])
def test_bad_json_and_the_wrong_shape_raise_one_error(data):
    with pytest.raises(codec.DecodeError):
        codec.decoder(Point).decode(data)
