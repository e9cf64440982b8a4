import re
import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core import ids


def test_an_id_is_a_uuid_of_version_7_in_lower_case():
    value = ids.new()
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", ids.text(value))
    assert uuid.UUID(bytes=value).version == 7
    assert uuid.UUID(bytes=value).variant == uuid.RFC_4122


def test_ids_increase_and_never_repeat():
    made = [ids.new() for _ in range(50_000)]
    assert made == sorted(set(made))
    assert [ids.text(value) for value in made] == sorted({ids.text(value) for value in made})


def test_ids_increase_also_when_the_clock_has_stepped_back(monkeypatch):
    ahead = (time.time_ns() // 1_000_000 + 3_600_000) << 12  # the last id was made an hour from now
    monkeypatch.setattr(ids, "_last", ahead)
    made = [ids.new() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert ids.millis(made[0]) >= ahead >> 12


def test_an_id_tells_when_it_was_made():
    before = time.time_ns() // 1_000_000
    assert before <= ids.millis(ids.new())


@given(st.binary(min_size=16, max_size=16))
def test_an_id_as_spelt_reads_back(value):
    assert ids.parse(ids.text(value)) == value
    assert ids.text(value) == str(uuid.UUID(bytes=value))


@pytest.mark.parametrize("spelt", ["", "x" * 32, "0" * 31, "0" * 33, "0192"])
def test_what_is_no_id_is_refused(spelt):
    with pytest.raises(ValueError):
        ids.parse(spelt)
