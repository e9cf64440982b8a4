from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from penstock.control.values import Amount, GatewayId, HeaderName, Url, integers, uncallable
from penstock.core.addresses import PUBLIC, Rules
from penstock.wire.headers import HOP_BY_HOP

ID = TypeAdapter(GatewayId)


@given(st.from_regex(r"[a-z0-9_-]{1,64}", fullmatch=True))
def test_an_id_stays_as_it_is(text):
    assert ID.validate_python(text) == text


@pytest.mark.parametrize("text", ["", "A", "a b", "a/b", "a\n", "é", "x" * 65, "٣"])
def test_what_is_no_id_is_told_what_one_is(text):
    with pytest.raises(ValidationError) as refused:
        ID.validate_python(text)
    assert [error["msg"] for error in refused.value.errors()] == ["an id is 1 to 64 of a-z, 0-9, _ and -"]


def test_the_document_has_the_expression():
    assert ID.json_schema() == {"type": "string", "pattern": "^[a-z0-9_-]{1,64}$"}


@pytest.mark.parametrize(("sent", "read"), [(5, 5), (5.0, 5), (1e15, 10**15)])
def test_an_integer_may_be_written_with_a_point(sent, read):
    assert TypeAdapter(Amount).validate_python(sent, strict=True) == read
    assert integers({"a": [sent], "limit": sent}, frozenset({"limit"})) == {"a": [read], "limit": sent}


@pytest.mark.parametrize("sent", [5.5, "5", True, None, float("nan")])
def test_what_is_no_integer_is_refused(sent):
    with pytest.raises(ValidationError):
        TypeAdapter(Amount).validate_python(sent, strict=True)


@pytest.mark.parametrize("url", ["https://a.b", "http://[::1]:4318/v1/traces", "http://10.0.0.1:65535?x=y"])
def test_an_address_is_kept_as_it_is(url):
    assert TypeAdapter(Url).validate_python(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "url",
        "ftp://a",
        "http://a:99999",
        "http://a:0",
        "http://a:00",
        "http://u:p@a",
        "http://[::1",
        "http://[44.C:]",
        "http://a b",
        "http://",
    ],
)
def test_what_is_no_address_is_told_what_one_is(url):
    with pytest.raises(ValidationError, match="http or https address"):
        TypeAdapter(Url).validate_python(url)


@pytest.mark.parametrize("name", ["x-api-key", "Authorization", "content-type", "hosts", "te-x", "x-content-length"])
def test_a_header_may_be_set(name):
    assert TypeAdapter(HeaderName).validate_python(name) == name


@pytest.mark.parametrize(
    "name", [*sorted(name.decode() for name in HOP_BY_HOP), "Host", "Content-LENGTH", "a b", "", "a:"]
)
def test_a_header_that_frames_the_request_may_not_be_set(name):
    with pytest.raises(ValidationError, match="is no name of a header that can be set"):
        TypeAdapter(HeaderName).validate_python(name)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:4318/v1/traces",
        "http://2130706433",
        "https://[::1]/",
        "http://10.1.2.3?x",
        "http://localhost:1",
    ],
)
def test_an_address_that_is_not_public_is_refused_with_the_setting_that_allows_it(url):
    assert uncallable(url, PUBLIC).endswith("may not be called: its address is not public; see allowed_networks")
    assert uncallable(url, Rules([ip_network("0.0.0.0/0"), ip_network("::/0")])) == ""


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "http://[fe80::1]", "http://metadata.google.internal/"]
)
def test_an_address_of_a_metadata_service_is_refused_whatever_is_allowed(url):
    everything = Rules([ip_network("0.0.0.0/0"), ip_network("::/0")])
    assert uncallable(url, everything).endswith("its address is link-local or that of a metadata service")


def test_names_are_judged_when_they_are_called():
    assert uncallable("https://collector.example:4318/v1/traces", PUBLIC) == ""
