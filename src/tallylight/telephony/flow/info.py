"""Key presses in SIP INFO bodies: `application/dtmf-relay` (Signal=, Duration=) and `application/dtmf` (the key alone)."""

import re

KEYS = frozenset("0123456789*#ABCD")
_SIGNAL = re.compile(rb"^\s*Signal\s*=\s*([0-9A-Da-d*#]|1[01])\s*$", re.MULTILINE)
_NAMED = {"10": "*", "11": "#"}


def key_of(content_type: str, body: bytes) -> str | None:
    """The key pressed, or None where the body is no key press (malformed ones included)."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/dtmf-relay":
        found = _SIGNAL.search(body[:256].replace(b"\r", b"\n"))
        if found is None:
            return None
        text = found.group(1).decode("ascii")
    elif kind == "application/dtmf":
        text = body[:16].strip().decode("ascii", "replace")
    else:
        return None
    key = _NAMED.get(text, text).upper()
    return key if key in KEYS else None
