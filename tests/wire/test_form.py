"""A field of a form with files."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.wire.form import boundary, field


@pytest.mark.parametrize(
    ("value", "mark"),
    [
        (b"multipart/form-data; boundary=abc", b"abc"),
        (b'Multipart/Form-Data;charset=utf-8; Boundary="a b:c"', b"a b:c"),
        (b"multipart/form-data", None),
        (b"multipart/form-data; boundary=" + b"x" * 71, None),
        (b"application/json; boundary=abc", None),
        (b"", None),
    ],
)
def test_the_boundary_is_a_parameter_of_the_type(value, mark):
    assert boundary(value) == mark


def part(name, value, more=b""):
    return b'--abc\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n' % (name, more, value)


def told(body, name=b"model"):
    at = asyncio.run(field(body, b"abc", name))
    return None if at is None else body[at]


def test_a_field_is_found_wherever_it_stands_and_no_file_passes_for_it():
    file = part(b"file", b'name="model"\r\n\r\nfalse\r\n--ab', b'; filename="model"\r\nContent-Type: audio/mpeg')
    model = part(b"model", b"openai/whisper-1")
    for body in (file + model, model + file, file + file + model):
        assert told(body + b"--abc--\r\n") == b"openai/whisper-1"
    assert told(file + b"--abc--\r\n") is None
    assert told(part(b"model", b"") + b"--abc--\r\n") == b""
    assert told(part(b"prompt", b"x", b"\r\nX-Name: model") + b"--abc--") is None


@pytest.mark.parametrize("body", [b"", b"--abc", b"--abc--", b"--abd\r\n", b"no form", part(b"model", b"x")])
def test_what_is_no_whole_form_has_no_field(body):
    assert told(body) is None


@pytest.mark.parametrize("size", [(1 << 20) - 20, (1 << 20) - 8, (1 << 20) - 2, (1 << 20) + 4])
def test_a_mark_across_two_slices_is_found(size):
    assert told(part(b"file", bytes(size)) + part(b"model", b"x") + b"--abc--") == b"x"


def test_a_field_that_is_too_long_and_a_form_of_too_many_parts_are_not_read():
    assert told(part(b"model", b"x" * 2000) + b"--abc--") is None
    assert told(part(b"x", b"") * 300 + part(b"model", b"x") + b"--abc--") is None


@given(st.binary())
def test_nothing_that_comes_makes_it_fail(body):
    told(b"--abc\r\n" + body)
