"""One canonical form for every spelling of an address: E.164 where the user part is a number, else a SIP URI. Pure.

`+4512345678`, `12 34 56 78`, `0045 12345678`, `tel:+45-12-34-56-78` and `"A" <sip:12345678@host:5060;user=phone>;tag=x`
are one address where the project is Danish. `SIPS:Agent@HOST:5061;transport=tls` is `sip:Agent@host`: host lower-cased,
user as it came.
"""

import ipaddress
import unicodedata
from urllib.parse import quote, unquote

import phonenumbers

from tallylight.errors import TallylightError

LONGEST = 512
"""Characters; nothing longer is looked at."""

SHORTEST_NUMBER = 7
"""Digits of a national or unlisted number that is no extension of a switchboard."""

_SEPARATORS = str.maketrans("", "", " -.()/\u00a0\u2010\u2011\u2012\u2013\u2014")
_DIGITS = frozenset("0123456789")
_USER_SAFE = "-_.!~*'()&=+$,;?/"
_SCHEMES = ("sip", "sips", "tel")


class AddressError(TallylightError):
    """The text is no address of a person: give a telephone number or `sip:user@host`."""

    code = "address_invalid"


def canonical_address(text: str, *, country: str) -> str:
    """The one spelling of `text` (a From header, a URI, a number as written), numbers read as in `country`.

    `country` is ISO 3166-1 alpha-2, with or without a region (`US-TX`).
    Raises AddressError where `text` names neither a number nor a SIP user and host.
    """
    if len(text) > LONGEST:
        raise AddressError(f"An address has at most {LONGEST} characters: give a number or sip:user@host.")
    scheme, rest = _split(_address_part(text))
    if scheme == "tel":
        return _telephone(rest, country)
    if "@" in rest or scheme:
        return _sip(rest, country)
    number = _number(unquote(rest), country)
    if number is None:
        raise _not_an_address()
    return number


def comparable(canonical: str) -> str:
    """What the blind index is made of: a canonical address without regard to case."""
    return canonical.casefold()


def names_nobody(canonical: str) -> bool:
    """True for what a hidden caller shows (RFC 3261 section 8.1.1.3, RFC 3323 section 4.1): it is no person's."""
    user, _, host = canonical.removeprefix("sip:").partition("@")
    return canonical.startswith("sip:") and (user.casefold() == "anonymous" or host in {"anonymous.invalid", ""})


def spellings(canonical: str) -> tuple[str, ...]:
    """The plain texts that would give this person away in a file or log, of seven characters or more.

    A number: its digits with the country code, and its national digits. A SIP address: `user@host`, and the user part.
    """
    if canonical.startswith("+"):
        try:
            national = str(phonenumbers.parse(canonical).national_number)
        except phonenumbers.NumberParseException:
            national = ""
        found = (canonical[1:], national)
    else:
        bare = canonical.removeprefix("sip:")
        user = bare.partition("@")[0] if "@" in bare else ""
        found = (bare, user)
    return tuple(dict.fromkeys(text for text in found if len(text) >= SHORTEST_NUMBER))


def _not_an_address() -> AddressError:
    return AddressError("This is no address: give a telephone number with its country code (+45...) or sip:user@host.")


def _address_part(text: str) -> str:
    """Without display name, angle brackets and header parameters (RFC 3261 section 20.10)."""
    text = unicodedata.normalize("NFKC", text).strip()
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise _not_an_address()
    if "<" in text:
        text = text[text.rfind("<") + 1 :].partition(">")[0].strip() if text.rfind("<") < text.rfind(">") else text
    if any(character in text for character in '<>"'):
        raise _not_an_address()
    return text


def _split(text: str) -> tuple[str, str]:
    scheme, colon, rest = text.partition(":")
    if colon and scheme.strip().casefold() in _SCHEMES:
        return scheme.strip().casefold(), rest.strip()
    return "", text


def _telephone(rest: str, country: str) -> str:
    """RFC 3966: `tel:` with its phone-context; other parameters do not name anybody."""
    digits, *parameters = unquote(rest).split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().casefold() == "phone-context" and value.strip().startswith("+") and not digits.startswith("+"):
            digits = value.strip() + digits
    number = _number(digits, country)
    if number is None:
        raise _not_an_address()
    return number


def _sip(rest: str, country: str) -> str:
    """RFC 3261 section 19.1.1: user, password, host, port, parameters and headers; only user and host are kept."""
    user, at, place = rest.rpartition("@")
    host = _host(place)
    if not at:
        return f"sip:{host}"
    name = unquote(user.partition(":")[0]).strip()
    if not name:
        raise _not_an_address()
    number = _number(name.partition(";")[0], country)
    return number if number is not None else f"sip:{quote(name, safe=_USER_SAFE)}@{host}"


def _host(place: str) -> str:
    bare = place.partition(";")[0].partition("?")[0].strip().casefold()
    if bare.startswith("["):
        inside, bracket, _ = bare[1:].partition("]")
        try:
            if bracket:
                return f"[{ipaddress.IPv6Address(inside)}]"
        except ValueError:
            pass
        raise _not_an_address()
    host = bare.partition(":")[0].strip().rstrip(".")
    if not host.isascii() or not host or not all(character.isalnum() or character in "-._" for character in host):
        raise _not_an_address()
    return host


def _number(text: str, country: str) -> str | None:
    """E.164 where `text` is a telephone number, else None. `00` reads as `+` where that is no prefix of the country."""
    bare = text.translate(_SEPARATORS)
    digits = bare.removeprefix("+")
    if not digits or not _DIGITS.issuperset(digits) or len(digits) > 20:
        return None
    # A trunk zero in brackets, as in +44 (0)20, is for the reader and never dialled after a country code.
    if bare.startswith("+"):
        return _international(text.replace("(0)", "").translate(_SEPARATORS).removeprefix("+"))
    try:
        parsed = phonenumbers.parse(bare, country.partition("-")[0].upper(), keep_raw_input=True)
    except phonenumbers.NumberParseException:
        parsed = None
    source = phonenumbers.CountryCodeSource
    if parsed is not None and parsed.country_code_source == source.FROM_NUMBER_WITH_IDD:
        return _international(f"{parsed.country_code}{phonenumbers.national_significant_number(parsed)}")
    if bare.startswith("00"):
        return _international(bare[2:])
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        return None
    if len(str(parsed.national_number)) < SHORTEST_NUMBER and not phonenumbers.is_valid_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def _international(digits: str) -> str | None:
    try:
        parsed = phonenumbers.parse(f"+{digits}")
        if phonenumbers.is_possible_number(parsed):
            return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    except phonenumbers.NumberParseException:
        pass
    return f"+{digits}" if SHORTEST_NUMBER <= len(digits) <= 15 else None
