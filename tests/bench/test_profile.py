from bench.profile import shares


def test_folded_stacks_are_counted_by_the_innermost_frame_and_by_every_frame_once() -> None:
    total, own, under = shares(
        ["main (a.py);serve (b.py) 3", "main (a.py);serve (b.py);serve (b.py) 2", "main (a.py) 1"]
    )
    assert total == 6
    assert own == {"serve (b.py)": 5, "main (a.py)": 1}
    assert under == {"main (a.py)": 6, "serve (b.py)": 5}
