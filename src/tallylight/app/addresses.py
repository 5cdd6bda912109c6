"""Addresses as calls bring them: never a reason to refuse a call."""

from tallylight.catalogue.addresses import AddressError, canonical_address
from tallylight.telephony.sip.uri import SipUri

ANONYMOUS = "sip:anonymous@anonymous.invalid"
"""What an address that cannot be read is kept as (RFC 3323 section 4.1.1.3)."""


def canonical_or_anonymous(text: str, country: str) -> str:
    """The canonical address, or nobody's where there is none to be made out."""
    try:
        return canonical_address(text, country=country)
    except AddressError:
        return ANONYMOUS


def user_at(caller: SipUri, host: str, port: int) -> SipUri:
    """The caller's user part, without a password, at our own host: in whose name the agent is called."""
    user, _, _ = (caller.user or "").partition(":")
    return SipUri(user=user or "anonymous", host=host, port=port)
