"""URIs and name-addr."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.telephony.sip.errors import MalformedUri
from tallylight.telephony.sip.uri import NameAddress, SipUri


@pytest.mark.parametrize(
    ("text", "user", "host", "port", "written"),
    [
        ("sip:bob@example.org", "bob", "example.org", None, "sip:bob@example.org"),
        ("SIP:Bob@EXAMPLE.org:5070;transport=TCP;lr", "Bob", "example.org", 5070, None),
        ("sip:+4512345678;npdi=yes@198.51.100.7", "+4512345678;npdi=yes", "198.51.100.7", None, None),
        ("sip:who?what@host", "who?what", "host", None, None),
        ("sip:a@[2001:DB8::1]:5062", "a", "2001:db8::1", 5062, "sip:a@[2001:db8::1]:5062"),
        ("sip:host?Subject=x", None, "host", None, "sip:host"),
        ("sips:a:secret@host", "a:secret", "host", None, None),
        ("tel:+45-12;phone-context=x", "+45-12", "", None, "tel:+45-12;phone-context=x"),
    ],
)
def test_a_uri_is_read(text: str, user: str | None, host: str, port: int | None, written: str | None) -> None:
    uri = SipUri.parse(text)
    assert (uri.user, uri.host, uri.port) == (user, host, port)
    if written is not None:
        assert str(uri) == written
    assert SipUri.parse(str(uri)) == uri


NO_URIS = [
    "",
    "sip:",
    "bob@host",
    "http://host",
    "sip:@host",
    "sip:a@",
    "sip:a@host:0",
    "sip:a@host:65536",
    "sip:a@host:123456",
    "sip:a b@host",
    "sip:a@host>",
    "sip:a\x01@host",
    "tel:",
    "sip:a@[::1",
    "sip:a@host:٣",
    "sip:a@host:5060x",
    "",
]


@pytest.mark.parametrize("text", NO_URIS)
def test_what_is_no_uri_is_refused_in_words(text: str) -> None:
    with pytest.raises(MalformedUri, match="Write it like sip:user@host:5060"):
        SipUri.parse(text)


def test_parameters_keep_their_order_and_read_in_any_case() -> None:
    uri = SipUri.parse("sip:h;LR;transport=tcp;x=")
    assert uri.parameters == (("lr", None), ("transport", "tcp"), ("x", ""))
    assert (uri.parameter("lr"), uri.parameter("transport"), uri.parameter("maddr")) == ("", "tcp", None)


def test_a_user_part_is_unescaped_on_demand() -> None:
    assert SipUri.parse("sip:%2B4512%20@h").plain_user == "+4512 "
    assert SipUri.parse("sip:h").plain_user == ""


@pytest.mark.parametrize(
    ("text", "user", "parameters"),
    [
        ("<sip:a@h;lr>;tag=1", "a", (("tag", "1"),)),
        ('"A <sip:x@y>, \\"B\\"" <sip:a@h>', "a", ()),
        ("Anna Karenina <sip:a@h>", "a", ()),
        ("sip:a@h;tag=7", "a", (("tag", "7"),)),
        ("<tel:+45>", "+45", ()),
    ],
)
def test_a_name_address_is_read(text: str, user: str, parameters: object) -> None:
    address = NameAddress.parse(text)
    assert (address.uri.user, address.parameters) == (user, parameters)


@pytest.mark.parametrize("text", ["", "<sip:a@h", "*", '"never closed <sip:a@h', "<>"])
def test_what_is_no_name_address_is_refused(text: str) -> None:
    with pytest.raises(MalformedUri):
        NameAddress.parse(text)


@given(st.text(alphabet='sipel:@;=?[]<>"\\. ab1', max_size=30))
def test_any_text_is_a_uri_or_malformed(text: str) -> None:
    try:
        uri = NameAddress.parse(text).uri
    except MalformedUri:
        with pytest.raises(MalformedUri):
            SipUri.parse(text)
        return
    assert SipUri.parse(str(uri)) == uri
