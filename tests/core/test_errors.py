from inspect import getmembers, isclass

import pytest

from penstock.core import errors

TREE = [kind for _, kind in getmembers(errors, isclass) if issubclass(kind, errors.PenstockError)]


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_the_drawing_shows_every_error(kind):
    (row,) = [line.split() for line in str(errors.__doc__).splitlines() if kind.__name__ in line.split()]
    if "/" in row:
        at = row.index("/")
        assert (int(row[at - 1]), int(row[at + 1].rstrip(","))) == (kind.status, kind.code)


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_every_error_has_a_message_status_and_code(kind):
    error = kind()
    assert error.message
    assert "\n" not in error.message
    assert 400 <= error.status <= 599
    control = isinstance(error, errors.ControlError | errors.ModelNotFound)  # whose numbers are the API's own
    codes = {1002, 1003, 1004, 6003, 7001, 7002, 7003, 7009, 7010, 7011, 9106, 10000}
    assert error.code in codes if control else 2000 <= error.code <= 2999


def test_message_and_retry_can_be_given():
    error = errors.Overloaded("Full.", retry_after=5)
    assert (error.message, error.retry_after, str(error)) == ("Full.", 5, "Full.")
    assert errors.Overloaded.retry_after == 1
