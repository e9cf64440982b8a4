"""What a start prints."""

import socket

import pytest

from penstock.cli.greeting import greeting
from penstock.control.first_start import Start
from penstock.core.settings import Settings, url_of

ACCOUNT = "fedcba9876543210" * 2


def greeted(host, port, url, link="", **more):
    """The greeting of a start with these settings, and the port that it found."""
    start = Start(None, (ACCOUNT,), False, None, (), link)  # type: ignore[arg-type]
    with socket.create_server((host, 0)) as listener:
        text = greeting(Settings(host=host, port=port, public_url=url, **more), start, listener, simulate=False)
        return text, listener.getsockname()[1]


@pytest.mark.parametrize("port", [8787, 0])
def test_the_address_printed_is_the_one_clients_use(port):
    text, _ = greeted("127.0.0.1", port, "https://ai.example.com")
    assert f"https://ai.example.com/v1/{ACCOUNT}/default/openai" in text
    assert "$OPENAI_API_KEY" in text
    assert "API token" not in text


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_with_any_free_port_the_one_that_was_found_is_printed(host, scheme):
    tls = {"tls_certificate": "c.pem", "tls_key": "k.pem"} if scheme == "https" else {}
    text, port = greeted(host, 0, url_of(host, 0, scheme), **tls)
    assert f"listens on {scheme}://{host}:{port}\n" in text
    assert f"curl {scheme}://127.0.0.1:{port}/v1/{ACCOUNT}/default/openai" in text


def test_what_is_as_usual_is_not_said():
    text, _ = greeted("127.0.0.1", 0, "http://x")
    assert "Role" not in text
    assert "Workers" not in text


@pytest.mark.parametrize(("role", "last"), [("control", "See http://x/docs\n"), ("worker", "See http://x/readyz\n")])
def test_a_role_without_calls_shows_no_call(role, last):
    text, _ = greeted("127.0.0.1", 0, "http://x", role=role, workers=2)
    assert f"  Role       {role}\n  Workers    2\n" in text
    assert text.endswith(last)
    assert "curl" not in text


def test_the_dashboard_is_named_where_it_is_served_with_the_link_that_signs_in():
    assert "  Dashboard  http://x/\n" in greeted("127.0.0.1", 0, "http://x")[0]
    text, _ = greeted("127.0.0.1", 0, "https://ai.example.com", link="v1.abc")
    assert "  Dashboard  https://ai.example.com/ui/sign-in?once=v1.abc\n             (signs in once" in text
    assert "Dashboard" not in greeted("127.0.0.1", 0, "http://x", link="v1.abc", role="proxy")[0]
