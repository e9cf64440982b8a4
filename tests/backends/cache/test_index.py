"""What is there, against a plain model."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.backends.cache.index import Index


class Time:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


KEYS = st.sampled_from([b"a", b"b", b"c", b"d", b"e"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), KEYS, st.integers(1, 60), st.integers(1, 50)),
        st.tuples(st.just("use"), KEYS),
        st.tuples(st.just("drop"), KEYS),
        st.tuples(st.just("pass"), st.integers(0, 20)),
    ),
    max_size=60,
)


@given(STEPS)
def test_it_holds_the_last_used_that_fit_and_knows_those_that_have_not_expired(steps):
    time = Time()
    index, model = Index(100, time, lambda: 0), {}  # key -> (size, until), unused for longest first
    for what, *given_ in steps:
        if what == "pass":
            time.now += given_[0]
        elif what == "drop":
            assert index.drop(given_[0]) is (model.pop(given_[0], None) is not None)
        elif what == "use":
            index.use(given_[0])
            if given_[0] in model:
                model[given_[0]] = model.pop(given_[0])
        else:
            key, size, ttl = given_
            gone = index.add(key, 1, size, 0, ttl)
            model.pop(key, None)
            model[key] = (size, time.now + ttl)
            evicted = []
            while sum(size for size, _ in model.values()) > 100:
                evicted.append(next(iter(model)))
                del model[evicted[-1]]
            assert gone == evicted
        assert index.size == sum(size for size, _ in model.values())
        assert len(index) == len(model)
        for key in (b"a", b"b", b"c", b"d", b"e"):
            assert index.knows(key) is (key in model and model[key][1] > time.now)


def test_it_remembers_the_last_keys_that_were_purged_and_not_all_that_ever_were(monkeypatch):
    monkeypatch.setattr("penstock.backends.cache.index.PURGED", 2)
    index = Index(100, Time())
    for key in (b"a", b"b", b"a", b"c"):
        assert list(index.purge(1, key)) == [[]]
    assert [index.outdated(key, 100.0) for key in (b"a", b"b", b"c")] == [True, False, True]


def test_what_is_too_large_or_too_old_is_not_taken_and_costs_nobody_its_place():
    index = Index(100, Time(), lambda: 50_000)
    assert index.add(b"a", 1, 90, 50_000, 60) == []
    assert index.add(b"b", 1, 101, 50_000, 60) is None
    assert index.add(b"c", 1, 10, 0, 50) is None
    assert index.knows(b"a")
