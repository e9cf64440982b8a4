"""No token of ours is written down."""

import pytest

from penstock.wire.masked import MASK, path, word

CHOSEN = b"chosen-by-the-operator-1"
MADE = b"pst_" + b"a" * 40 + b"0" * 8


def known(secret):
    return secret == CHOSEN or None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"chat/completions", "chat/completions"),
        (b"v1/%b/x" % MADE, f"v1/{MASK}/x"),
        (b"v1/glued%b" % MADE, f"v1/{MASK}"),
        (b"v1/pst_typo/x", f"v1/{MASK}/x"),
        (b"%70s%2574_typo/x", f"{MASK}/x"),
        (b"x/%b" % CHOSEN, f"x/{MASK}"),
        (b"x/key=%b/y" % CHOSEN, f"x/{MASK}/y"),
        (b"a" * 20, "a" * 20),
        (b"a" * 100, "a" * 60),
    ],
)
def test_segments_of_a_path_that_hold_a_token_are_masked(value, said):
    assert path(value, known, 60) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"curl/8.5", "curl/8.5"),
        (b"curl %b" % MADE, MASK),
        (b"x" * 240 + MADE, MASK),  # the cut would have left a part of it
        (b"x" * 300, "x" * 256),
        (b"\xff", "\xff"),
    ],
)
def test_a_word_that_holds_a_token_is_masked(value, said):
    assert word(value) == said
