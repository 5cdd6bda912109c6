"""Messages out of a byte stream, by Content-Length (RFC 3261 section 18.3), and the keep-alives between them."""

import re

from tallylight.telephony.sip.codec import MAX_BODY, MAX_HEAD

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_CONTENT_LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:\s*([0-9]{1,9})\s*?\r?$", re.MULTILINE | re.IGNORECASE)
PING = b"\r\n\r\n"
PONG = b"\r\n"


class Framer:
    """Collects segments of any size. `broken` is set once the stream can no longer be read: it has to be closed."""

    __slots__ = ("_buffer", "_scanned", "broken", "pings")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self.broken = False
        self.pings = 0

    @property
    def waiting(self) -> bool:
        """Whether a part of a message is held."""
        return bool(self._buffer) and self._buffer[0] not in b"\r\n"

    def feed(self, segment: bytes | memoryview) -> list[bytes]:
        """The messages this segment completes, in order; of a broken stream, what stands where a message should be."""
        if self.broken:
            return []
        self._buffer += segment
        messages: list[bytes] = []
        while not self.broken:
            self._skip_keepalives()
            message = self._next()
            if message is None:
                break
            messages.append(message)
        return messages

    def _skip_keepalives(self) -> None:
        """Drop CRLFs between messages, counting double ones as pings (RFC 5626 section 4.4.1)."""
        buffer = self._buffer
        count = 0
        while count < len(buffer) and buffer[count] in b"\r\n":
            count += 1
        if count and count == len(buffer) and count % 4:
            # An unfinished ping: the odd bytes stay until the rest has come.
            count -= count % 4
        if count:
            self.pings += count // 4
            del buffer[:count]
            self._scanned = 0

    def _next(self) -> bytes | None:
        buffer = self._buffer
        if not buffer or buffer[0] in b"\r\n":
            return None
        end = _END_OF_HEAD.search(buffer, max(0, self._scanned - 3))
        if end is None:
            self._scanned = len(buffer)
            return self._break() if len(buffer) > MAX_HEAD else None
        if end.start() > MAX_HEAD:
            return self._break()
        lengths = {int(value) for value in _CONTENT_LENGTH.findall(buffer, 0, end.start())}
        if len(lengths) != 1:
            return self._break()
        total = end.end() + lengths.pop()
        if total - end.end() > MAX_BODY:
            return self._break()
        if len(buffer) < total:
            return None
        message = bytes(buffer[:total])
        del buffer[:total]
        self._scanned = 0
        return message

    def _break(self) -> bytes:
        self.broken = True
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest
