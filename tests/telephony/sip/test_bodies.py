"""The session description in a body."""

import pytest

from tallylight.telephony.sip.bodies import media_type, session_of
from tests.telephony.sip.making import OFFER

XML = b"Content-Type: application/rs-metadata+xml\r\n\r\n<recording/>"
MIXED = (
    b"--b1\r\n" + XML + b"\r\n--b1\r\nContent-Type: application/sdp\r\nContent-Disposition: session\r\n\r\n" + OFFER
) + b"\r\n--b1--\r\n"


def test_a_session_alone_is_the_whole_body() -> None:
    assert session_of("Application/SDP ;charset=x", OFFER) == OFFER
    assert session_of("", OFFER) == OFFER


def test_nothing_and_other_types_hold_no_session() -> None:
    assert session_of("application/sdp", b"") is None
    assert session_of("application/dtmf-relay", b"Signal=1") is None
    assert session_of("multipart/mixed", MIXED) is None
    assert session_of("multipart/mixed;boundary=other", MIXED) is None


@pytest.mark.parametrize("content_type", ["multipart/mixed;boundary=b1", 'multipart/related; type="x"; boundary="b1"'])
def test_the_session_part_is_found(content_type: str) -> None:
    assert session_of(content_type, MIXED) == OFFER


def test_sloppy_parts_are_lived_with() -> None:
    lf = MIXED.replace(b"\r\n", b"\n")
    assert session_of("multipart/mixed;boundary=b1", lf) == OFFER.replace(b"\r\n", b"\n")
    tight = MIXED.replace(b"Content-Type: application/sdp", b"\r\nContent-Type:application/sdp")
    assert session_of("multipart/mixed;boundary=b1", tight) == OFFER
    unclosed = MIXED.removesuffix(b"\r\n--b1--\r\n")
    assert session_of("multipart/mixed;boundary=b1", unclosed) == OFFER


def test_a_part_without_headers_is_passed_over() -> None:
    assert session_of("multipart/mixed;boundary=b1", b"--b1\r\n\r\n" + OFFER + b"\r\n--b1--") is None


def test_a_media_type_is_compared_without_parameters() -> None:
    assert media_type(" Application/SDP ; a=b") == "application/sdp"
