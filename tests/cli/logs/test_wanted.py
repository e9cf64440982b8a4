"""Flags as filters."""

import pytest

from penstock.cli.logs.wanted import Wanted
from penstock.core.errors import Invalid
from penstock.storage.log.filters import Test


def test_each_flag_is_a_filter():
    wanted = Wanted(
        *(["cost>=0.5", "model != a , b"], ["user=a=b"], "openai", "m", "4xx", True, False, "2024-01-31"),
        until="2024-02-01",
    )
    assert wanted.tests() == (
        Test("cost", "gte", (500_000_000,)),
        Test("model", "neq", ("a ", " b")),
        Test("metadata.user", "eq", ("a=b",)),
        Test("provider", "eq", ("openai",)),
        Test("model", "eq", ("m",)),
        Test("success", "eq", (True,)),
        Test("cached", "eq", (False,)),
        Test("status_code", "gte", (400,)),
        Test("status_code", "lte", (499,)),
        Test("created_at", "gte", (1_706_659_200_000,)),
        Test("created_at", "lte", (1_706_831_999_999,)),
    )


def test_nothing_is_asked_by_no_flag():
    assert Wanted().tests() == ()


def test_a_moment_ends_where_it_says():
    (test,) = Wanted(until="2024-02-01T12:00:00Z").tests()
    assert test.values == (1_706_788_800_000,)


@pytest.mark.parametrize("text", ["", "cost", "=1", "cost=>", "a b=c"])
def test_what_is_no_filter_is_refused(text):
    with pytest.raises(Invalid, match="--filter"):
        Wanted([text]).tests()


def test_bytes_that_are_no_text_are_refused():
    for asked in (Wanted(metadata=["user=d\udcc3"]), Wanted(["model~\udcc3"]), Wanted(model="\udcc3")):
        with pytest.raises(Invalid, match="encoding"):
            asked.tests()
