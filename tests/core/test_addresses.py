"""Which addresses may be called: the ways in which a forbidden one is spelt or wrapped, as data and as laws."""

# ruff: noqa: RUF001  digits of other scripts are what this is about

import ipaddress
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.addresses import NEVER, NOT_PUBLIC, PUBLIC, Rules, is_here, is_localhost, literal


def words(text):
    return text.split()


# Hosts that lead to this machine or into its network, in the spellings that resolvers and libraries understand.
INWARD = words("""
    127.0.0.1 127.1 127.0.1 127.255.255.254 127.0.0.1. 127.0.0.1... 2130706433 0x7f000001 0x7F.1 0x7f.0x0.0x0.0x1
    017700000001 0177.0.0.1 0177.0x0.0.01 00000000177.1 0 0x 0.0.0.0 0x0 00 0.1
    10.0.0.1 10.1 167772161 0xa.1 012.1 172.16.0.1 172.31.255.255 0xac100001 192.168.1.1 192.168.257 3232235777
    100.64.0.1 100.127.255.255 192.0.0.1 192.0.2.1 192.88.99.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1
    224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 4294967295 0xffffffff
    :: ::1 [::1] 0:0:0:0:0:0:0:1 ::1%lo [::1%25lo] ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:7f00:1 [::ffff:10.0.0.1]
    ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 64:ff9b::a00:1 64:ff9b:1::1 64:ff9b:1:7f00:0:100:: 64:ff9b:1::8.8.8.8
    2002:7f00:1:: 2002:a00:1::1 2002:808:808::1 2001:0:808:808::f7f7:f7f7 2001::1 2001:10::1 2001:db8::1 3fff::1
    fc00::1 fd00::1 fdff:ffff::1 fec0::1 ff02::1 ff0e::1 100::1 5f00::1 4000::1 e000::1
    2606:4700::5efe:10.0.0.1 2606:4700::200:5efe:127.0.0.1
    localhost LOCALHOST localhost. a.localhost localhost.localdomain.localhost
    １２７.０.０.１ ①②⑦.⓪.⓪.① 127。0。0。1 127．0．0．1 127｡0｡0｡1 ０ｘ７ｆ.1
""")

# Hosts that hand out credentials, or lie on the link: nobody may call them.
METADATA = words("""
    169.254.169.254 169.254.170.2 169.254.170.23 169.254.169.253 169.254.0.1 169.254.42.42 169.254.255.255
    2852039166 0xa9fea9fe 0xa9.0xfe.0xa9.0xfe 025177524776 0251.0376.0251.0376 169.16689662 169.254.43518
    169.254.169.254. 100.100.100.200 1684301000 168.63.129.16 0xa83f8110 192.0.0.192
    fe80::1 fe80::1%eth0 [fe80::1%25eth0] febf::1 fd00:ec2::254 fd00:ec2::23 [fd00:ec2::254] fd00:0ec2:0::00fe
    fd20:ce::254 fd00:c1::a9fe:a9fe fd00:42::42 fd00:a9fe:a9fe::1
    ::169.254.169.254 ::ffff:169.254.169.254 ::ffff:a9fe:a9fe ::ffff:0:169.254.169.254 ::ffff:100.100.100.200
    64:ff9b::169.254.169.254 64:ff9b::a83f:8110 64:ff9b:1::a9fe:a9fe 64:ff9b:1:a9fe:a9:fe00:: 64:ff9b:1:a9:fe:a9fe::
    64:ff9b:1:0:a9:fea9:fe00::
    2002:a9fe:a9fe:: 2002:a9fe:a9fe::1 2001:0:a9fe:a9fe:: 2001:0:808:808:0:0:5601:5601 2606:4700::5efe:169.254.169.254
    metadata.google.internal METADATA.google.internal. metadata metadata.goog instance-data
    instance-data.ec2.internal metadata.azure.internal metadata.tencentyun.com metadata.packet.net
    metadata.platformequinix.com rancher-metadata １６９.254.169.254 169。254。169。254
""")

OUTWARD = words("""
    8.8.8.8 1.1.1.1 134744072 0x08080808 010.010.010.010 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1
    126.255.255.255 128.0.0.1 169.253.255.255 169.255.0.1 172.15.255.255 172.32.0.1 192.167.255.255 192.169.0.1
    198.17.255.255 198.20.0.1 223.255.255.255 2606:4700:4700::1111 [2001:4860:4860::8888] 2a00:1450::1
    ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2003::1
    api.openai.com localhost.example.com notlocalhost 127.0.0.1.nip.io metadata.example.com 08.8.8.8 1.2.3.4.5
    4294967296 256.1.1.1 127.0.0.256 1..2 - 0xg 0x7f.0.0.0.1
""")


@pytest.mark.parametrize("host", INWARD)
def test_what_is_not_public_may_be_called_by_the_operators_word_alone(host):
    assert PUBLIC.host_refusal(host, trusted=False) == NOT_PUBLIC
    assert PUBLIC.host_refusal(host, trusted=True) == ""


@pytest.mark.parametrize("host", METADATA)
@pytest.mark.parametrize("rules", [PUBLIC, Rules([ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")])])
def test_link_local_and_metadata_may_be_called_by_nobody_whatever_is_allowed(host, rules):
    assert rules.host_refusal(host, trusted=False) == NEVER
    assert rules.host_refusal(host, trusted=True) == NEVER


@pytest.mark.parametrize("host", OUTWARD)
def test_what_is_public_or_a_name_may_be_called(host):
    assert PUBLIC.host_refusal(host, trusted=False) == ""


@pytest.mark.parametrize(
    ("allowed", "good", "bad"),
    [
        ("10.0.0.0/8", ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "167772161"], ["192.168.0.1"]),
        ("10.0.0.0/8", [], ["192.168.0.1", "127.0.0.1", "::1", "2002:a00:1::", "::ffff:192.168.0.1"]),
        ("127.0.0.0/8", ["127.0.0.1", "localhost", "127.1"], ["::1", "10.0.0.1"]),
        ("::1/128", ["::1"], ["127.0.0.1", "::2"]),
        ("fd00:1::/32", ["fd00:1::5"], ["fd00:2::5", "fd00:ec2::254"]),
        ("192.168.1.7", ["192.168.1.7"], ["192.168.1.8"]),
        ("64:ff9b:1::/48", ["64:ff9b:1::10.0.0.1"], ["64:ff9b:1::169.254.169.254", "64:ff9b:2::1"]),
    ],
)
def test_what_the_operator_allows_may_be_called_and_nothing_beside_it(allowed, good, bad):
    rules = Rules([ipaddress.ip_network(allowed)])
    assert [host for host in good if rules.host_refusal(host, trusted=False)] == []
    assert [host for host in bad if not rules.host_refusal(host, trusted=False)] == []


@pytest.mark.parametrize(
    ("host", "allowed", "plain"),
    [
        ("10.1.2.3", ["10.0.0.0/8"], True),
        ("0x0a010203", ["10.0.0.0/8"], True),
        ("localhost", ["127.0.0.0/8"], True),
        ("ollama", ["10.0.0.0/8"], True),
        ("llm.models.svc", ["10.0.0.0/8"], True),
        ("LLM.Internal.", ["10.0.0.0/8"], True),
        ("ollama", [], False),
        ("localhost", ["10.0.0.0/8"], False),
        ("10.1.2.3", [], False),
        ("8.8.8.8", ["10.0.0.0/8"], False),
        ("api.example.com", ["10.0.0.0/8"], False),
        ("internal.example.com", ["10.0.0.0/8"], False),
    ],
)
def test_without_tls_only_what_the_operator_allows_and_names_that_are_never_public(host, allowed, plain):
    assert Rules([ipaddress.ip_network(one) for one in allowed]).plain(host) is plain


def test_names_of_this_machine_are_known():
    assert [name for name in ("localhost", "a.b.localhost.", "LocalHost") if not is_localhost(name)] == []
    assert [name for name in ("localhost.com", "xlocalhost", "127.0.0.1", "") if is_localhost(name)] == []
    assert [host for host in ("localhost", "127.9.9.9", "::1", "::ffff:127.0.0.1", "0x7f.1") if not is_here(host)] == []
    assert [host for host in ("10.0.0.1", "::ffff:10.0.0.1", "example.com", "") if is_here(host)] == []


# Laws

V4 = st.ip_addresses(v=4)
SPECIAL = st.sampled_from(
    words(
        "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24"
        " 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 168.63.129.16"
    )
).flatmap(lambda network: st.ip_addresses(network=network))

WRAPS = {
    "mapped": lambda n: (0xFFFF << 32) | n,
    "compatible": lambda n: n,
    "translated": lambda n: (0xFFFF << 48) | n,
    "nat64": lambda n: (0x64FF9B << 96) | n,
    "nat64 local /96": lambda n: (0x64FF9B0001 << 80) | n,
    "nat64 local /48": lambda n: (0x64FF9B0001 << 80) | (n >> 16 << 64) | ((n & 0xFFFF) << 40),
    "nat64 local /56": lambda n: (0x64FF9B0001 << 80) | (n >> 24 << 64) | ((n & 0xFFFFFF) << 32),
    "nat64 local /64": lambda n: (0x64FF9B0001 << 80) | (n << 24),
    "6to4": lambda n: (0x2002 << 112) | (n << 80),
    "teredo server": lambda n: (0x20010000 << 96) | (n << 64),
    "teredo client": lambda n: (0x20010000 << 96) | (0x08080808 << 64) | (n ^ 0xFFFFFFFF),
    "isatap": lambda n: (0x26064700 << 96) | (0x5EFE << 32) | n,
    "isatap, unique": lambda n: (0x26064700 << 96) | (0x02005EFE << 32) | n,
}


@given(SPECIAL, st.sampled_from(sorted(WRAPS)), st.booleans())
def test_an_ipv4_address_that_is_refused_is_refused_in_any_ipv6_form(address, form, trusted):
    wrapped = IPv6Address(WRAPS[form](int(address)))
    if PUBLIC.refusal(address, trusted=trusted):
        assert PUBLIC.refusal(wrapped, trusted=trusted)


@given(V4, st.sampled_from(["mapped", "nat64"]))
def test_the_forms_that_lead_straight_to_an_ipv4_address_are_judged_as_it_is(address, form):
    wrapped = IPv6Address(WRAPS[form](int(address)))
    assert PUBLIC.refusal(wrapped, trusted=False) == PUBLIC.refusal(address, trusted=False)


@given(st.ip_addresses())
def test_no_address_that_the_standard_library_calls_special_passes_for_public(address):
    special = address.is_private or address.is_loopback or address.is_link_local or address.is_multicast
    nat64 = isinstance(address, IPv6Address) and address in ipaddress.ip_network("64:ff9b::/96")
    if (special or address.is_reserved or address.is_unspecified) and not nat64:
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        assert PUBLIC.refusal(mapped or address, trusted=False) or (mapped is not None and mapped.is_global)


@given(st.ip_addresses(), st.booleans())
def test_what_nobody_may_call_is_refused_to_all_and_trust_only_ever_adds(address, allowed):
    rules = Rules([ipaddress.ip_network(address)]) if allowed else PUBLIC
    untrusted, trusted = (rules.refusal(address, trusted=trust) for trust in (False, True))
    assert (untrusted == NEVER) == (trusted == NEVER)
    assert not (trusted and not untrusted)


@given(V4, st.data())
def test_every_spelling_of_an_ipv4_address_is_that_address(address, data):
    parts = data.draw(st.integers(1, 4))
    octets = address.packed
    numbers = [*octets[: parts - 1], int.from_bytes(octets[parts - 1 :], "big")]
    spell = st.sampled_from(["{}", "0x{:x}", "0X{:X}", "0{:o}", "0x00{:x}", "000{:o}"])
    host = ".".join(data.draw(spell).format(number) for number in numbers) + data.draw(st.sampled_from(["", "."]))
    assert literal(host) == address


@given(st.ip_addresses(v=6), st.sampled_from(["{}", "[{}]", "{}.", "{}%eth0"]))
def test_every_spelling_of_an_ipv6_address_is_that_address(address, frame):
    assert literal(frame.format(address)) == address
    assert literal(frame.format(address.exploded.upper())) == address


@given(st.text())
def test_any_text_is_an_address_or_a_name(text):
    assert isinstance(literal(text), IPv4Address | IPv6Address | None)
    assert PUBLIC.host_refusal(text, trusted=False) in {"", NOT_PUBLIC, NEVER}
