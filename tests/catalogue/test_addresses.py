"""Every spelling of one address gives one canonical form."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.catalogue.addresses import AddressError, canonical_address, comparable, names_nobody, spellings

SPELLINGS_OF_A_DANE = [
    "+4512345678",
    "+45 12 34 56 78",
    "12345678",
    "12 34 56 78",
    "(12) 34-56-78",
    "4512345678",
    "0045 12345678",
    "00 45 12-34-56-78",
    "tel:+45-12-34-56-78",
    "TEL:12345678;phone-context=+45",
    "sip:12345678@127.0.0.1",
    "sip:+4512345678@gateway.example:5060;user=phone",
    "sips:+45.12345678;isub=1@10.0.0.1",
    "sip:%2B4512345678@gateway.example?subject=hello",
    '"Lund, A. <private>" <sip:+4512345678:secret@gateway.example>;tag=76341',
    "<tel:+4512345678>",
    "+4512345678@gateway.example",
]


@pytest.mark.parametrize("text", SPELLINGS_OF_A_DANE)
def test_a_number_has_one_form(text: str) -> None:
    assert canonical_address(text, country="DK") == "+4512345678"


@pytest.mark.parametrize(
    "text",
    [
        "sip:Agent@host.example",
        "sip:Agent@HOST.example:5090",
        "SIPS:Agent@host.example.;transport=tls",
        "Agent@host.example",
        '"Desk" <sip:Agent@Host.Example:5090;lr>;tag=1',
        "sip:%41gent@host.example",
    ],
)
def test_a_sip_address_has_one_form(text: str) -> None:
    assert canonical_address(text, country="DK") == "sip:Agent@host.example"


@pytest.mark.parametrize(
    ("text", "country", "form"),
    [
        ("020 7946 0018", "GB", "+442079460018"),
        ("+44 (0)20 7946 0018", "DK", "+442079460018"),
        ("0011 45 12345678", "AU", "+4512345678"),
        ("00442079460018", "US", "+442079460018"),
        ("(212) 555-0123", "us", "+12125550123"),
        ("+999123456789", "DK", "+999123456789"),
        ("sip:100@pbx.example", "DK", "sip:100@pbx.example"),
        ("sip:1001@pbx.example", "DE", "sip:1001@pbx.example"),
        ("sip:112@127.0.0.1", "DK", "sip:112@127.0.0.1"),
        ("sip:*21@127.0.0.1:5071", "DK", "sip:*21@127.0.0.1"),
        ("sip:agent@[2001:DB8::0:1]:5060;lr", "DK", "sip:agent@[2001:db8::1]"),
        ("sip:gateway.example", "DK", "sip:gateway.example"),
    ],
)
def test_forms(text: str, country: str, form: str) -> None:
    assert canonical_address(text, country=country) == form


@pytest.mark.parametrize(
    "text", ["", "agent", "100", "sip:", "sip:@host", "sip:a@", "tel:help", "a@b c", "<sip:a@b", "a\nb@c", "x" * 600]
)
def test_what_names_nobody_says_what_to_give(text: str) -> None:
    with pytest.raises(AddressError, match=r"sip:user@host|at most 512"):
        canonical_address(text, country="DK")


def test_the_blind_index_ignores_case() -> None:
    assert comparable("sip:Agent@host") == comparable(canonical_address("sip:aGENT@HOST", country="DK"))


def test_a_hidden_caller_is_nobody() -> None:
    assert names_nobody(canonical_address('"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1', country="DK"))
    assert not names_nobody("sip:agent@host")
    assert not names_nobody("+4512345678")


def test_what_would_give_a_person_away() -> None:
    assert spellings("+4512345678") == ("4512345678", "12345678")
    assert spellings("sip:agent@host.example") == ("agent@host.example",)
    assert spellings("sip:agentsmith@h") == ("agentsmith@h", "agentsmith")
    assert spellings("+999123456789") == ("999123456789",)


COUNTRIES = ["DK", "DE", "GB", "FR", "ES", "US", "SE", "IT"]


def _numbers(country: str) -> st.SearchStrategy[phonenumbers.PhoneNumber]:
    """Valid mobile numbers: the country's example with its last five digits drawn anew."""
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    assert example is not None
    code, stem = example.country_code, str(example.national_number)[:-5]
    return st.integers(0, 99999).map(
        lambda tail: phonenumbers.PhoneNumber(country_code=code, national_number=int(f"{stem}{tail:05}"))
    )


@given(data=st.data(), country=st.sampled_from(COUNTRIES))
def test_every_spelling_of_a_number_gives_its_e164(data: st.DataObject, country: str) -> None:
    number = data.draw(_numbers(country).filter(phonenumbers.is_valid_number))
    formats = phonenumbers.PhoneNumberFormat
    e164 = phonenumbers.format_number(number, formats.E164)
    written = [
        phonenumbers.format_number(number, way)
        for way in (formats.E164, formats.INTERNATIONAL, formats.NATIONAL, formats.RFC3966)
    ]
    written += ["00" + e164[1:], e164.replace("+", "%2B")]
    bare = data.draw(st.sampled_from(written))
    if not bare.startswith("tel:"):
        separator = data.draw(st.sampled_from(["", " ", "-", "."]))
        bare = separator.join(bare) if "%" not in bare else bare
        around = data.draw(
            st.sampled_from(
                [
                    "{}",
                    "sip:{}@Host.example:5060;user=phone",
                    '"A. Person" <sip:{}@10.0.0.1>;tag=1',
                    "SIPS:{}@[::1]",
                    " tel:{} ",
                ]
            )
        )
        bare = around.format(bare)
    assert canonical_address(bare, country=country) == e164


URI = st.from_regex(r"sips?:[^\s@]{1,12}@[a-z0-9.]{1,12}(:[0-9]{1,5})?", fullmatch=True)


@given(st.text(max_size=80) | URI, st.sampled_from(COUNTRIES))
def test_the_canonical_form_is_its_own_form(text: str, country: str) -> None:
    try:
        form = canonical_address(text, country=country)
    except AddressError:
        return
    assert canonical_address(form, country=country) == form
    assert form.startswith(("+", "sip:"))
