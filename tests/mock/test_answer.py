import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.mock.answer import MOST_FRAMES, pieces, reply, tokens
from penstock.mock.controls import Controls


@pytest.mark.parametrize(("text", "count"), [("", 1), ("a", 1), ("abcd", 1), ("abcde", 2), ("äöüß", 1)])
def test_a_token_is_four_characters_begun_and_never_none(text, count):
    assert tokens(text) == count


@given(st.text(max_size=2000), st.integers(0, 300))
def test_the_pieces_of_a_text_are_the_text(text, frames):
    parts = pieces(text, frames)
    assert "".join(parts) == text
    assert len(parts) == frames or (not frames and len(parts) <= MOST_FRAMES)


@given(st.text(max_size=50), st.integers(1, 500))
def test_no_frame_is_empty_unless_the_size_says_so(said, frames):
    assert all(pieces(reply(said, Controls(frames=frames)), frames))


@given(st.text(max_size=50), st.integers(0, 5000))
def test_a_text_of_a_size_has_that_size(said, size):
    assert len(reply(said, Controls(size=size)).encode()) == size


def test_a_huge_text_has_a_bounded_number_of_frames():
    assert len(pieces(reply("", Controls(size=1_000_000)), 0)) == MOST_FRAMES


def test_who_says_nothing_is_told_so():
    assert reply("", Controls()) == "You said nothing."
