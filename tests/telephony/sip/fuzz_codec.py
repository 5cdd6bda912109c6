"""Fuzz target: any bytes are a SIP message or Malformed; what is accepted is written so that it reads back alike."""

from tallylight.telephony.sip.bodies import session_of
from tallylight.telephony.sip.codec import Malformed, Request, parse
from tallylight.telephony.sip.errors import MalformedUri
from tallylight.telephony.sip.framing import Framer
from tallylight.telephony.sip.uri import NameAddress, SipUri


def fuzz_one(data: bytes) -> None:
    for framed in (False, True):
        try:
            message = parse(data, framed=framed)
        except Malformed:
            continue
        session_of(message.headers.get_first("content-type") or "", message.body)
        for name in ("from", "to", "contact"):
            for value in message.headers.get(name):
                try:
                    uri = NameAddress.parse(value).uri
                except MalformedUri:
                    continue
                assert SipUri.parse(str(uri)) == uri
        if isinstance(message, Request):
            again = parse(bytes(message), framed=True)
            assert isinstance(again, Request)
            assert (again.method, again.uri, again.call_id) == (message.method, message.uri, message.call_id)
            assert (again.cseq, again.body) == (message.cseq, message.body)
            assert (again.from_tag, again.to_tag) == (message.from_tag, message.to_tag)
    whole, pieces = Framer(), Framer()
    together = whole.feed(data)
    one_by_one = [message for index in range(len(data)) for message in pieces.feed(data[index : index + 1])]
    if not whole.broken and not pieces.broken:
        assert together == one_by_one
    else:
        assert whole.broken == pieces.broken
