"""What a body holds, by its Content-Type: the session description, alone or in a multipart (RFC 2046, RFC 5621)."""

import re

SDP = "application/sdp"
_BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_PART_TYPE = re.compile(rb"^content-type[ \t]*:[ \t]*([^\s;]+)", re.MULTILINE | re.IGNORECASE)
_PART_TYPE_SHORT = re.compile(rb"^c[ \t]*:[ \t]*([^\s;]+)", re.MULTILINE | re.IGNORECASE)
_MAX_PARTS = 32


def media_type(content_type: str) -> str:
    """`type/subtype` in lower case, without parameters."""
    return content_type.partition(";")[0].strip().lower()


def session_of(content_type: str, body: bytes) -> bytes | None:
    """The session description in a body, or None where there is none. A body without a type counts as one."""
    if not body:
        return None
    kind = media_type(content_type)
    if kind in (SDP, ""):
        return body
    if kind.startswith("multipart/"):
        found = _BOUNDARY.search(content_type)
        if found is not None:
            return _part(body, (found.group(1) or found.group(2)).encode("utf-8"))
    return None


def _part(body: bytes, boundary: bytes) -> bytes | None:
    """The first application/sdp part; blank lines before a part's headers and a missing last CRLF are lived with."""
    for part in (b"\n" + body).split(b"\n--" + boundary, _MAX_PARTS)[1:]:
        if part.startswith(b"--"):
            break
        part = part.partition(b"\n")[2].lstrip(b"\r\n")
        blank = _BLANK_LINE.search(part)
        if blank is None:
            continue
        head = part[: blank.start()]
        kind = _PART_TYPE.search(head) or _PART_TYPE_SHORT.search(head)
        if kind is not None and kind.group(1).lower() == SDP.encode():
            content = part[blank.end() :]
            return content[:-1] if content.endswith(b"\r") else content
    return None
