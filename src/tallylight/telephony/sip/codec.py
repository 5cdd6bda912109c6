"""SIP messages on the wire, parse and serialise (RFC 3261 sections 7, 8.1.1, 18.3, 20). Only here is `aiosipua` used.

The library splits headers; it is lenient, so the start line, the mandatory headers, CSeq, Content-Length, the version
and Max-Forwards are checked here. Accepted though not of the standard: bare LF, `sip/2.0` in lower case, a missing
reason phrase, Latin-1 headers, no Max-Forwards, no From tag (RFC 2543).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from aiosipua.headers import CaseInsensitiveDict as Headers
from aiosipua.message import SipMessage, SipRequest, SipResponse

from tallylight.telephony.sip.errors import SipError, phrase_of

__all__ = ["MAX_BODY", "MAX_HEAD", "Headers", "Malformed", "Request", "Response", "Via", "parse"]

MAX_HEAD = 32_768
"""Bytes of start line and headers we read; more is answered 513 where an answer is possible."""
MAX_BODY = 60_000
"""Bytes of body we read; more is answered 413."""

_TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]+"
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_REQUEST_LINE = re.compile(rf"({_TOKEN}) +([^\s<>\"]+) +[Ss][Ii][Pp]/([0-9]+\.[0-9]+) *")
_STATUS_LINE = re.compile(r"[Ss][Ii][Pp]/([0-9]+\.[0-9]+) +([0-9]{3})(?: (.*))?")
_CONTENT_LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:((?:[^\n]|\n[ \t])*)\n?", re.MULTILINE | re.IGNORECASE)
_CSEQ = re.compile(rf"([0-9]{{1,10}})\s+({_TOKEN})")
_VIA = re.compile(
    r"SIP\s*/\s*2\.0\s*/\s*([A-Za-z0-9]+)\s+(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?:\s*:\s*([0-9]{1,5}))?\s*(?:;(.*))?",
    re.IGNORECASE | re.DOTALL,
)
_TAG = re.compile(r";\s*tag\s*=\s*([^;,\s]+)", re.IGNORECASE)


class Malformed(SipError):
    """Bytes that are no acceptable SIP message. `request` is there where an answer with `status` can be addressed."""

    def __init__(self, status: int, reason: str, request: "Request | None" = None) -> None:
        super().__init__(status, f"Malformed SIP message: {reason}. Look at what the peer sends.")
        self.reason = reason
        self.request = request


@dataclass(slots=True, kw_only=True)
class Via:
    """The topmost Via: who sent this hop and where the answer goes (RFC 3261 section 18.2.2, RFC 3581)."""

    transport: str
    host: str
    port: int | None
    branch: str
    wants_rport: bool


@dataclass(slots=True, kw_only=True)
class Request:
    """A request as received. `headers` are read by name in any case; tags are "" where absent."""

    method: str
    uri: str
    headers: Headers
    body: bytes
    via: Via
    call_id: str
    cseq: int
    from_tag: str
    to_tag: str

    def __bytes__(self) -> bytes:
        return bytes(SipRequest(headers=self.headers, body=self.body, method=self.method, uri=self.uri))


@dataclass(slots=True, kw_only=True)
class Response:
    """A response as received. `method` is the one of its CSeq."""

    status: int
    phrase: str
    headers: Headers
    body: bytes
    branch: str
    method: str
    call_id: str
    cseq: int
    from_tag: str
    to_tag: str


def parse(data: bytes, *, framed: bool = False) -> Request | Response:
    """Read one message. `framed`: it came from a stream, where Content-Length is mandatory. Raises Malformed only."""
    start = 0
    while data[start : start + 1] in (b"\r", b"\n"):
        start += 1
    end = _END_OF_HEAD.search(data, start, start + MAX_HEAD + 4)
    if end is None:
        head, body, too_long = data[start : start + MAX_HEAD], b"", len(data) - start > MAX_HEAD
    else:
        head, body, too_long = data[start : end.start()], data[end.end() :], False
    if b"\r" in head:
        head = head.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lengths = {value.strip() for value in _CONTENT_LENGTH.findall(head)}
    if lengths:
        head = _CONTENT_LENGTH.sub(b"", head)
    line, _, fields = head.partition(b"\n")
    try:
        text = line.decode("utf-8")
        fields.decode("utf-8")
    except UnicodeDecodeError:
        text = line.decode("utf-8", "replace")
        fields = fields.decode("latin-1").encode("utf-8")
    try:
        headers = SipMessage.parse(b"X sip:x SIP/2.0\n" + fields).headers
    except ValueError as error:
        raise Malformed(400, "the headers cannot be read") from error
    length = _declared(lengths)
    if text[:4].upper() == "SIP/":
        return _response(text, headers, body, length, framed=framed)
    return _request(text, headers, body, length, framed=framed, too_long=too_long)


def _declared(lengths: set[bytes]) -> int | None:
    """The declared body length: None where absent, -1 where it is no single number."""
    if not lengths:
        return None
    if len(lengths) > 1:
        return -1
    (value,) = lengths
    return int(value) if value.isdigit() and len(value) < 10 else -1


def _single(headers: Headers, name: str) -> str:
    values = headers.get(name)
    if len(values) == 1:
        return values[0]
    raise Malformed(400, f"{name} is missing" if not values else f"{name} stands more than once")


def tag_of(value: str) -> str:
    """The tag parameter of a From or To value, "" where absent."""
    found = _TAG.search(value, value.rfind(">") + 1)
    return found.group(1) if found else ""


def parse_via(value: str) -> Via:
    """Read one Via value. Raises Malformed."""
    found = _VIA.fullmatch(value.strip())
    if found is None:
        raise Malformed(400, "the topmost Via cannot be read")
    transport, host, port_text, parameters = found.groups()
    port = int(port_text) if port_text else None
    if port is not None and not 0 < port < 65536:
        raise Malformed(400, "the port of the topmost Via is out of range")
    branch = ""
    wants_rport = False
    for part in (parameters or "").split(";"):
        name, _, text = part.partition("=")
        name = name.strip().lower()
        if name == "branch":
            branch = text.strip()
        elif name == "rport":
            wants_rport = True
    return Via(
        transport=transport.upper(), host=host.strip("[]").lower(), port=port, branch=branch, wants_rport=wants_rport
    )


def _cseq(value: str) -> tuple[int, str]:
    found = _CSEQ.fullmatch(value)
    if found is None or not found.group(1).isascii() or int(found.group(1)) >= 1 << 31:
        raise Malformed(400, "CSeq is not a number below 2^31 followed by a method")
    return int(found.group(1)), found.group(2)


def _request(line: str, headers: Headers, body: bytes, length: int | None, *, framed: bool, too_long: bool) -> Request:
    vias = headers.get("via")
    if not vias:
        raise Malformed(400, "via is missing")
    via = parse_via(vias[0])
    start = _REQUEST_LINE.fullmatch(line)
    sender, receiver, sequence = _single(headers, "from"), _single(headers, "to"), _single(headers, "cseq")
    request = Request(
        method=start.group(1) if start else "",
        uri=start.group(2) if start else "",
        headers=headers,
        body=body,
        via=via,
        call_id=_single(headers, "call-id"),
        cseq=0,
        from_tag=tag_of(sender),
        to_tag=tag_of(receiver),
    )
    # From here on an answer can be addressed.
    try:
        if not request.call_id:
            raise Malformed(400, "call-id is empty")
        number, method = _cseq(sequence)
        request.cseq = number
        if start is None:
            raise Malformed(400, "the request line cannot be read")
        if start.group(3) != "2.0":
            raise Malformed(505, "the version is not SIP/2.0")
        if method != request.method:
            raise Malformed(400, "CSeq names another method than the request line")
        if too_long:
            raise Malformed(513, "the headers are too long")
        hops = headers.get("max-forwards")
        if hops and not (len(hops) == 1 and hops[0].isascii() and hops[0].isdigit() and int(hops[0][:4]) < 256):
            raise Malformed(400, "Max-Forwards is not a number from 0 to 255")
        request.body = _body(body, length, framed=framed)
    except Malformed as error:
        raise Malformed(error.status, error.reason, request if request.method != "ACK" else None) from None
    return request


def _response(line: str, headers: Headers, body: bytes, length: int | None, *, framed: bool) -> Response:
    start = _STATUS_LINE.fullmatch(line)
    if start is None or start.group(1) != "2.0" or not start.group(2).isascii() or not 100 <= int(start.group(2)) < 700:
        raise Malformed(400, "the status line cannot be read")
    vias = headers.get("via")
    if not vias:
        raise Malformed(400, "via is missing")
    number, method = _cseq(_single(headers, "cseq"))
    status = int(start.group(2))
    return Response(
        status=status,
        phrase=(start.group(3) or "").strip() or phrase_of(status),
        headers=headers,
        body=_body(body, length, framed=framed),
        branch=parse_via(vias[0]).branch,
        method=method,
        call_id=_single(headers, "call-id"),
        cseq=number,
        from_tag=tag_of(_single(headers, "from")),
        to_tag=tag_of(_single(headers, "to")),
    )


def _body(body: bytes, length: int | None, *, framed: bool) -> bytes:
    """What Content-Length makes of the bytes after the headers (RFC 3261 section 18.3)."""
    if length is None:
        if framed:
            raise Malformed(400, "Content-Length is missing on a stream")
        length = len(body)
    if length < 0:
        raise Malformed(400, "Content-Length is not one number")
    if length > MAX_BODY:
        raise Malformed(413, "the body is too long")
    if len(body) < length:
        raise Malformed(400, "the body is shorter than Content-Length")
    return body[:length] if len(body) > length else body


def request_bytes(method: str, uri: str, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    """The wire form of a request; Content-Length is set here. Equal names keep their order. Raises SipError 400."""
    return _bytes(SipRequest(headers=_collect(headers), body=body, method=method, uri=uri))


def response_bytes(status: int, phrase: str, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    """The wire form of a response; Content-Length is set here. Equal names keep their order. Raises SipError 400."""
    return _bytes(SipResponse(headers=_collect(headers), body=body, status_code=status, reason_phrase=phrase))


def _collect(pairs: Iterable[tuple[str, str]]) -> Headers:
    headers = Headers()
    try:
        for name, value in pairs:
            headers.append(name, value)
    except ValueError as error:
        raise SipError(400, "A SIP header holds a line break. Remove it.") from error
    return headers


def _bytes(message: SipRequest | SipResponse) -> bytes:
    try:
        return bytes(message)
    except UnicodeEncodeError as error:
        raise SipError(400, "A SIP message holds text that is not Unicode. Remove it.") from error
