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


class Line(codec.Struct):
    """From one point.

    To another.
    """

    ends: list[Point]


class Drawing(codec.Struct):
    line: Line | None = None


def test_a_schema_has_the_inner_structs_in_place():
    schema = codec.json_schema(Drawing)
    line, nothing = schema["properties"]["line"]["anyOf"]
    assert nothing == {"type": "null"}
    assert line["description"] == "From one point.\n\nTo another."
    point = line["properties"]["ends"]["items"]
    assert (point["properties"], point["required"]) == ({"x": {"type": "integer"}}, ["x"])
    assert b"$ref" not in codec.encode(schema)


class Named(Point):
    name: str = ""


UNREADABLE = {
    "nothing": b"",
    "half": b"{",
    "wrong type": b'{"x": "1"}',
    "wrong shape": b"[]",
    "no JSON": b"\xff",
    "no UTF-8": b'{"x": 1, "name": "\xff"}',
    "nested": b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_raises_one_family_of_errors(data):
    with pytest.raises(codec.DecodeError):
        codec.decoder(Named).decode(data)
