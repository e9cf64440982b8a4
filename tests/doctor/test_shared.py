"""Redis."""

import os

from penstock.doctor import shared
from tests.kit import services
from tests.kit.certificates import self_signed


def test_without_redis_there_is_nothing_to_say(subject):
    assert list(shared.check(subject())) == []


def test_a_redis_that_answers_is_good(subject, levels):
    ((level, text),) = levels(shared.check(subject(redis_url=os.environ["PENSTOCK_TEST_REDIS_URL"])))
    assert (level, text.endswith("answers.")) == ("ok", True)


def test_a_redis_that_is_not_there_is_a_problem(subject, closed_port):
    (found,) = shared.check(subject(redis_url=f"redis://:secret-word@127.0.0.1:{closed_port}/0"))
    assert (found.level, found.remedy.startswith("Start Redis")) == ("problem", True)
    assert "secret-word" not in repr(found)


def test_a_redis_whose_certificate_nobody_vouches_for_is_a_problem_until_its_authority_is_named(
    subject, closed_port, tmp_path
):
    cert, key = self_signed(tmp_path, "127.0.0.1")
    options = ["--tls-port", f"{closed_port}", "--tls-cert-file", f"{cert}", "--tls-key-file", f"{key}"]
    with services.redis(*options, "--tls-auth-clients", "no"):
        url = f"rediss://127.0.0.1:{closed_port}/0"
        (found,) = shared.check(subject(redis_url=url))
        assert (found.level, "?ssl_ca_certs=" in found.remedy) == ("problem", True)
        (found,) = shared.check(subject(redis_url=f"{url}?ssl_ca_certs={cert}"))
        assert found.level == "ok"


def test_a_redis_that_refuses_the_password_is_a_problem(subject):
    url = os.environ["PENSTOCK_TEST_REDIS_URL"].replace("redis://", "redis://nobody:secret-word@")
    (found,) = shared.check(subject(redis_url=url))
    assert (found.level, found.remedy.startswith("Check user and password")) == ("problem", True)
    assert "secret-word" not in repr(found)
