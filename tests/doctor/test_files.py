"""The limit of open files."""

import resource

from penstock.doctor import files


def test_a_limit_that_is_enough_is_good(subject, levels):
    assert levels(files.check(subject(max_connections=10)))[0][0] == "ok"


def test_a_limit_that_is_too_low_is_a_warning(subject):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = 10**9
    (found,) = files.check(subject(max_connections=10**9))
    assert found.level == "warning"
    assert "LimitNOFILE" in found.remedy
