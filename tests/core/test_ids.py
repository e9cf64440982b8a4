import re
import subprocess
import sys
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


@given(st.lists(st.integers(0, time.time_ns() + 10**9), min_size=1))
def test_ids_increase_however_the_clock_steps(times):
    made = [ids.new(lambda now=now: now) for now in times]
    assert made == sorted(set(made))


def test_ids_of_threads_and_of_forked_processes_do_not_meet():
    """Even where both make as many within one millisecond."""
    program = (
        "import os, sys, threading\n"
        "from penstock.core import ids\n"
        "forked = os.fork()\n"
        "made = []\n"
        "threads = [threading.Thread(target=lambda: made.extend([ids.new() for _ in range(5000)])) for _ in range(4)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "still = [ids.new(lambda: 0) for _ in range(5000)]\n"
        "sys.stdout.write(''.join(i[8:].hex() + '\\n' for i in made + still)); sys.stdout.flush()\n"
        "forked and os.waitpid(forked, 0)\n"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert len(told) == len(set(told)) == 2 * 25_000


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
