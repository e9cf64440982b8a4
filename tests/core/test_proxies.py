"""Which calls leave through a proxy, and what the environment may say of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.proxies import Proxies, Proxy, authority

BOTH = {"HTTPS_PROXY": "http://secure.example:3128", "HTTP_PROXY": "http://plain.example:3129"}


def way(environ, host="api.example.com", port=443, tls=True):
    """The host of the proxy; empty: none."""
    proxy = Proxies.read(environ).of(host, port, tls=tls)
    return "" if proxy is None else proxy.host


def test_without_settings_every_call_goes_straight():
    assert way({}) == way({}, tls=False) == way({"HTTPS_PROXY": "", "http_proxy": " "}) == ""


def test_origins_with_tls_and_without_have_proxies_of_their_own():
    assert (way(BOTH), way(BOTH, tls=False)) == ("secure.example", "plain.example")
    assert (way({"HTTPS_PROXY": "http://a"}, tls=False), way({"HTTP_PROXY": "http://a"})) == ("", "")


def test_of_two_spellings_of_a_variable_the_one_in_lower_case_counts():
    assert way(BOTH | {"https_proxy": "http://lower.example"}) == "lower.example"
    assert way(BOTH | {"https_proxy": ""}) == ""
    assert way(BOTH | {"NO_PROXY": "*", "no_proxy": "other.example"}) == "secure.example"


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        ("http://p.example:3128", Proxy(False, "p.example", 3128)),
        ("http://p.example:3128/", Proxy(False, "p.example", 3128)),
        ("p.example:3128", Proxy(False, "p.example", 3128)),
        ("http://p.example", Proxy(False, "p.example", 80)),
        ("https://p.example", Proxy(True, "p.example", 443)),
        ("http://[::1]:3128", Proxy(False, "::1", 3128)),
        ("http://me:secret@p:1", Proxy(False, "p", 1, b"proxy-authorization: Basic bWU6c2VjcmV0\r\n")),
        ("http://me@p:1", Proxy(False, "p", 1, b"proxy-authorization: Basic bWU6\r\n")),
        ("http://m%40e:s%3Ac%C3%A9@p:1", Proxy(False, "p", 1, b"proxy-authorization: Basic bUBlOnM6Y8Op\r\n")),
    ],
)
def test_a_proxy_is_an_address_perhaps_with_user_and_password(text, proxy):
    assert Proxies.read({"HTTPS_PROXY": text}).of("a.example", 443, tls=True) == proxy


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "http_proxy"])
@pytest.mark.parametrize(
    "text", ["socks5://p:1080", "http://", "http://p:x", "http://p:99999", "http://p:0", "http://p/path", "http://[::1"]
)
def test_what_is_no_proxy_is_refused_by_the_name_of_its_variable_alone(name, text):
    with pytest.raises(ValueError, match=name.upper()) as refused:
        Proxies.read({name: text.replace("//", "//me:secret@")})
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "127.0.0.1", "127.1", "::1", "::ffff:127.0.0.1"])
def test_this_very_machine_is_never_beyond_a_proxy(host):
    assert way(BOTH, host) == way(BOTH, host, tls=False) == ""


@pytest.mark.parametrize(
    ("none", "straight", "proxied"),
    [
        ("*", ["a.example", "10.0.0.1"], []),
        (
            "example.com",
            ["example.com", "api.example.com", "API.Example.COM", "example.com."],
            ["notexample.com", "com"],
        ),
        (".example.com", ["example.com", "api.example.com"], ["notexample.com"]),
        ("*.example.com", ["example.com", "a.b.example.com"], ["notexample.com"]),
        ("EXAMPLE.com", ["example.com"], []),
        ("a.example, b.example  c.example,,", ["a.example", "b.example", "c.example"], ["d.example"]),
        ("10.0.0.0/8", ["10.1.2.3", "167772161"], ["11.0.0.1", "10.example"]),
        ("10.0.0.1", ["10.0.0.1"], ["10.0.0.2", "110.0.0.1"]),
        ("fd00::/8", ["fd12::1"], ["2001:db8::1", "10.0.0.1"]),
        ("[2001:db8::1]", ["2001:db8::1", "2001:db8:0::1"], ["2001:db8::2"]),
        ("0.0.1", [], ["10.0.0.1"]),
        ("", [], ["a.example"]),
        (".", [], ["a.example"]),
    ],
)
def test_exceptions_go_straight(none, straight, proxied):
    environ = BOTH | {"NO_PROXY": none}
    assert [host for host in straight if way(environ, host)] == []
    assert [host for host in proxied if not way(environ, host)] == []


@pytest.mark.parametrize(
    ("none", "host"),
    [("a.example:8443", "a.example"), ("10.0.0.1:8443", "10.0.0.1"), ("[2001:db8::1]:8443", "2001:db8::1")],
)
def test_an_exception_with_a_port_is_one_for_that_port_alone(none, host):
    environ = BOTH | {"NO_PROXY": none}
    assert (way(environ, host, 8443), way(environ, host, 443)) == ("", "secure.example")


@given(st.text(st.characters(exclude_characters="\0")), st.text(st.characters(exclude_characters="\0")))
def test_whatever_the_environment_says_is_read_or_refused(proxy, none):
    try:
        proxies = Proxies.read({"HTTPS_PROXY": proxy, "NO_PROXY": none})
    except ValueError:
        return
    proxies.of("api.example.com", 443, tls=True)


def test_the_name_of_a_proxy_holds_no_password():
    assert Proxy(False, "::1", 3128, b"secret").name == authority("::1", 3128) == "[::1]:3128"
