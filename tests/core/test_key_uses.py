from itertools import count

from penstock.core.key_uses import KeyUses


def test_the_last_use_and_the_last_refusal_of_each_key_are_kept_once():
    uses = KeyUses(count(100).__next__)
    for status in (200, 401, 403, 500):
        uses.saw("a", 1, status)
    uses.saw("a", 2, 200)
    told = {key: (use.used_at, use.refused_at, use.refused_status) for key, use in uses.take().items()}
    assert told == {("a", 1): (103, 102, 403), ("a", 2): (104, 0, 0)}
    assert uses.take() == {}
