"""Where webhooks may be, and what signs them."""

import base64
import ipaddress

import pytest

from penstock.core.addresses import PUBLIC, Rules
from penstock.features.webhooks import key_of, placed, signed

INSIDE = Rules([ipaddress.ip_network("127.0.0.0/8")])


@pytest.mark.parametrize(
    ("url", "origin", "host", "path"),
    [
        ("https://hooks.example", (True, "hooks.example", 443), b"hooks.example", b"/"),
        ("https://hooks.example:8443/a?b=c#d", (True, "hooks.example", 8443), b"hooks.example:8443", b"/a?b=c"),
        ("http://127.0.0.1:9/a", (False, "127.0.0.1", 9), b"127.0.0.1:9", b"/a"),
    ],
)
def test_an_address_leads_to_its_origin(url, origin, host, path):
    hook = placed(url, INSIDE)
    assert (hook.origin[:3], hook.host, hook.path) == (origin, host, path)
    assert not hook.origin.trusted


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.example", "must be https"),
        ("http://127.0.0.1", "must be https"),
        ("https://127.0.0.1", "not public; see allowed_networks"),
        ("https://169.254.169.254", "link-local"),
        ("https://a:b@hooks.example", "without a user"),
        ("https://hooks.example/ä", "ASCII"),
        ("https://hooks.example:99999", "ASCII"),
        ("https://hooks.example/a b", "spaces"),
        ("", "https"),
    ],
)
def test_one_that_may_not_be_called_is_refused(url, why):
    with pytest.raises(ValueError, match=why):
        placed(url, PUBLIC)


def test_the_signature_is_that_of_the_specification():
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")  # an example that receivers' libraries are tested by
    headers = {name: value for name, _, value in signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY)}
    assert headers == {
        b"webhook-id": b"msg_p5jXN8AQM9LWM0D4loKWxJek",
        b"webhook-timestamp": b"1614265330",
        b"webhook-signature": b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


BODY = b'{"test": 2432232314}'


@pytest.mark.parametrize("secret", ["MDEy", "whsec_MDEy", "whsec_" + base64.b64encode(bytes(65)).decode(), "whsec_ä"])
def test_what_is_no_secret_signs_nothing(secret):
    with pytest.raises(ValueError, match=r"."):
        key_of(secret)
