"""SIP and tel URIs and the name-addr around them (RFC 3261 sections 19.1 and 20.10, RFC 3966).

Own code, because the library's reader splits at the first `;` or `?` even inside the user part.
"""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

from tallylight.telephony.sip.errors import MalformedUri

_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9]+)?\]")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f<>\"\ud800-\udfff]")

Parameters = tuple[tuple[str, str | None], ...]


def parse_parameters(text: str) -> Parameters:
    """`a=b;c` as pairs in order, names in lower case, a name without `=` with None."""
    found: list[tuple[str, str | None]] = []
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        name = name.strip().lower()
        if name:
            found.append((name, value.strip() if equals else None))
    return tuple(found)


@dataclass(frozen=True, kw_only=True, slots=True)
class SipUri:
    """`scheme:user@host:port;parameters`. `user` is as written (escaped); `host` is without brackets, empty for tel."""

    host: str
    user: str | None = None
    port: int | None = None
    parameters: Parameters = ()
    scheme: str = "sip"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one URI; header fields after `?` are dropped. Raises MalformedUri."""
        scheme, colon, rest = text.strip().partition(":")
        scheme = scheme.lower()
        if not colon or scheme not in ("sip", "sips", "tel"):
            raise MalformedUri("the scheme is none of sip, sips, tel")
        if _FORBIDDEN.search(rest):
            raise MalformedUri("it holds a blank, a bracket, a quote or a control character")
        if scheme == "tel":
            number, _, parameters = rest.partition(";")
            if not number:
                raise MalformedUri("the number is missing")
            return cls(scheme=scheme, user=number, host="", parameters=parse_parameters(parameters))
        user: str | None = None
        if "@" in rest:
            user, _, rest = rest.rpartition("@")
            if not user:
                raise MalformedUri("the user part before @ is empty")
        rest = rest.partition("?")[0]
        host_port, _, parameters = rest.partition(";")
        host = _HOST.match(host_port)
        if host is None:
            raise MalformedUri("the host is missing")
        port: int | None = None
        after = host_port[host.end() :]
        if after:
            if not (after[0] == ":" and after[1:].isascii() and after[1:].isdigit() and 0 < int(after[1:6]) < 65536):
                raise MalformedUri("the port is not a number from 1 to 65535")
            if len(after) > 6:
                raise MalformedUri("the port is not a number from 1 to 65535")
            port = int(after[1:])
        return cls(
            scheme=scheme,
            user=user,
            host=host.group().strip("[]").lower(),
            port=port,
            parameters=parse_parameters(parameters),
        )

    def parameter(self, name: str) -> str | None:
        """The value of a URI parameter; an empty string where it stands without a value, None where it is absent."""
        for key, value in self.parameters:
            if key == name:
                return value or ""
        return None

    @property
    def plain_user(self) -> str:
        """The user part with %-escapes undone, empty where there is none."""
        return unquote(self.user or "")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.scheme == "tel":
            text = f"tel:{self.user}"
        else:
            text = f"{self.scheme}:{self.user}@{host}" if self.user is not None else f"{self.scheme}:{host}"
        if self.port is not None:
            text += f":{self.port}"
        for name, value in self.parameters:
            text += f";{name}" if value is None else f";{name}={value}"
        return text


@dataclass(frozen=True, kw_only=True, slots=True)
class NameAddress:
    """`"display" <uri>;parameters`, as in From, To, Contact, Route. Without brackets, parameters are the header's."""

    uri: SipUri
    parameters: Parameters = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one name-addr or addr-spec. The display name is not kept. Raises MalformedUri."""
        text = text.strip()
        start = 0
        if text.startswith('"'):
            start = _after_quoted(text)
        left = text.find("<", start)
        if left < 0:
            uri, _, parameters = text.partition(";")
            return cls(uri=SipUri.parse(uri), parameters=parse_parameters(parameters))
        right = text.find(">", left)
        if right < 0:
            raise MalformedUri("the closing > is missing")
        return cls(uri=SipUri.parse(text[left + 1 : right]), parameters=parse_parameters(text[right + 1 :]))


def _after_quoted(text: str) -> int:
    """The index after a quoted string at the start of `text`, escapes minded; 0 where it never closes."""
    index = 1
    while index < len(text):
        if text[index] == "\\":
            index += 1
        elif text[index] == '"':
            return index + 1
        index += 1
    return 0
