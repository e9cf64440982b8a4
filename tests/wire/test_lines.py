"""JSON lines come out as events, wherever the frames were cut."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from penstock.wire.lines import Lines
from penstock.wire.sse import Piece, data_of, split

WORDS = st.sampled_from([b'{"a":1}', b"x", b" ", b"", b'{"text":"\\n"}'])


@given(
    st.lists(WORDS, max_size=9), st.sampled_from([b"\n", b"\r\n"]), st.booleans(), st.lists(st.integers(0), max_size=20)
)
def test_each_line_is_an_event(lines: list[bytes], end: bytes, closed: bool, at: list[int]) -> None:
    data = end.join(lines) + (end if closed else b"")
    edges = [0, *sorted(i % (len(data) + 1) for i in at), len(data)]
    cutter = Lines()
    found = [event for a, b in pairwise(edges) for block in cutter.feed(data[a:b]) for event in split(block)]
    told = [data_of(event).strip() for event in [*found, cutter.rest()]]
    assert [one for one in told if one] == [line.strip() for line in lines if line.strip()]


def test_a_line_without_end_is_handed_on_in_pieces() -> None:
    cutter = Lines(cap=100)
    found = [block for _ in range(10) for block in cutter.feed(b"x" * 50)]
    assert {type(block) for block in found} == {Piece}
    assert cutter.held < 100
    (last, event) = cutter.feed(b'\n{"a":1}\n')
    assert (type(last), data_of(event)) == (Piece, b'{"a":1}')
