"""HTTP digest access authentication as SIP uses it (RFC 3261 section 22, RFC 7616, RFC 8760): both sides, no I/O.

The server's nonces are signed with HMAC and carry the time of their issue, so nothing is stored until somebody has
proved a password with one; from then on only its highest nonce count is kept.
"""

import hashlib
import heapq
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tallylight.telephony.sip.errors import MalformedUri, SipError
from tallylight.telephony.sip.uri import SipUri

MAX_HEADER = 4096
"""Characters of a header value that are looked at at all; a longer one is malformed."""

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_SCHEME = re.compile(rf"[ \t\r\n]*({_TOKEN})[ \t\r\n]+(?={_TOKEN}[ \t\r\n]*=)")
_PARAMETER = re.compile(
    rf'[ \t\r\n]*({_TOKEN})[ \t\r\n]*=[ \t\r\n]*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))[ \t\r\n]*(?:,|\Z)', re.DOTALL
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_NONCE = re.compile(r"([0-9a-f]{12})([0-9a-f]{8})([0-9a-f]{32})")
_COUNT = re.compile(r"[0-9a-fA-F]{8}")


class DigestUnsupported(SipError):
    """A challenge cannot be answered: the peer asks for something other than Digest with MD5 or SHA-256."""

    def __init__(self) -> None:
        super().__init__(
            401,
            "The peer asks for a sign-in other than Digest with MD5 or SHA-256. "
            "Let it allow our address, or offer one of these.",
        )


class Algorithm(StrEnum):
    """Hash functions of RFC 7616 section 3.3 that are spoken here, by the name on the wire."""

    SHA_256 = "SHA-256"
    MD5 = "MD5"


class Reason(StrEnum):
    """Why credentials were refused. For the log, never for the wire."""

    MALFORMED = "the Authorization header is not a complete Digest credential"
    OTHER_REALM = "the credential is for another realm"
    OTHER_URI = "the credential is for another request-URI"
    NO_QOP = "the credential has no quality of protection auth or auth-int"
    ALGORITHM = "the credential uses an algorithm that was not offered"
    WRONG = "user or password is wrong"
    FOREIGN_NONCE = "the nonce is not one of ours"
    EXPIRED = "the nonce has expired"
    REPLAYED = "the nonce count was used before"


@dataclass(frozen=True, kw_only=True)
class Ha1:
    """H(user:realm:password) in lower-case hex, so that no password need be kept. None: not with that algorithm."""

    md5: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class Verified:
    """The request was made by somebody who knows `user`'s password, now, and for this very request."""

    user: str


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Not proven. `stale`: the password was right but the nonce is used up; a new challenge needs no new password."""

    stale: bool
    reason: Reason


class DigestServer:
    """The side that asks. One per realm and process; calls only on one thread.

    `credentials` maps a user to the password or to its `Ha1`. `secret` signs nonces: fresh random bytes for each
    process, so that nonces of an earlier process, whose counts are forgotten, are stale. `algorithms` are offered in
    this order and no other is accepted. MD5 alone unless all phones know better: measured, baresip 1.0 gives up at any
    challenge with SHA-256 beside the one it could answer, sipp 3.6 at one that stands first.
    """

    def __init__(
        self,
        realm: str,
        credentials: Mapping[str, str | Ha1],
        secret: bytes,
        *,
        algorithms: Sequence[Algorithm] = (Algorithm.MD5,),
        nonce_ms: int = 300_000,
        max_nonces: int = 10_000,
    ) -> None:
        self.realm = realm
        self._credentials = dict(credentials)
        self._secret = secret
        self._algorithms = tuple(algorithms)
        self._nonce_ms = nonce_ms
        self._max_nonces = max_nonces
        self._issued = 0
        self._counts: dict[int, int] = {}
        self._oldest: list[int] = []
        self._forgotten = -1

    def challenge(self, now_ms: int, *, stale: bool = False) -> tuple[str, ...]:
        """WWW-Authenticate values, one header each, preferred algorithm first (RFC 8760 section 2.3), on one nonce."""
        nonce = self._nonce(now_ms)
        tail = ", stale=true" if stale else ""
        return tuple(
            f'Digest realm={_quoted(self.realm)}, nonce="{nonce}", algorithm={algorithm.value}, qop="auth"{tail}'
            for algorithm in self._algorithms
        )

    def verify(self, header: str, *, method: str, uri: str, body: bytes, now_ms: int) -> Verified | Refused:
        """Judge an Authorization value on a request `method` to request-URI `uri`. Never raises."""
        parsed = _parse(header)
        if parsed is None or len(parsed) != 1 or parsed[0][0] != "digest":
            return Refused(stale=False, reason=Reason.MALFORMED)
        fields = parsed[0][1]
        try:
            user, realm, nonce = fields["username"], fields["realm"], fields["nonce"]
            digest_uri, response = fields["uri"], fields["response"]
        except KeyError:
            return Refused(stale=False, reason=Reason.MALFORMED)
        qop, count, cnonce = fields.get("qop"), fields.get("nc", ""), fields.get("cnonce", "")
        if qop not in ("auth", "auth-int"):
            return Refused(stale=False, reason=Reason.NO_QOP)
        if not _COUNT.fullmatch(count) or not cnonce:
            return Refused(stale=False, reason=Reason.MALFORMED)
        if realm != self.realm:
            return Refused(stale=False, reason=Reason.OTHER_REALM)
        if not _covers(digest_uri, uri):
            return Refused(stale=False, reason=Reason.OTHER_URI)
        algorithm = _algorithm(fields.get("algorithm", "MD5"))
        if algorithm is None or algorithm not in self._algorithms:
            return Refused(stale=False, reason=Reason.ALGORITHM)
        ha1 = self._ha1(user, algorithm)
        expected = _response(
            algorithm,
            ha1 or "",
            method=method,
            uri=digest_uri,
            nonce=nonce,
            count=count,
            cnonce=cnonce,
            qop=qop,
            body=body,
        )
        proven = hmac.compare_digest(expected.encode(), response.encode(errors="replace"))
        if ha1 is None or not proven:
            return Refused(stale=False, reason=Reason.WRONG)
        return self._spend(user, nonce, int(count, 16), now_ms)

    def _spend(self, user: str, nonce: str, count: int, now_ms: int) -> Verified | Refused:
        """Use up `count` of `nonce` (RFC 7616 section 3.4, nc): each request needs a higher one."""
        match = _NONCE.fullmatch(nonce)
        if match is None or not hmac.compare_digest(self._sign(match[1] + match[2]), match[3]):
            return Refused(stale=True, reason=Reason.FOREIGN_NONCE)
        issue = int(match[1] + match[2], 16)
        age_ms = now_ms - (issue >> 32)
        if not 0 <= age_ms < self._nonce_ms or issue <= self._forgotten:
            return Refused(stale=True, reason=Reason.EXPIRED)
        if count <= self._counts.get(issue, 0):
            return Refused(stale=True, reason=Reason.REPLAYED)
        if issue not in self._counts:
            self._make_room(now_ms)
            heapq.heappush(self._oldest, issue)
        self._counts[issue] = count
        return Verified(user=user)

    def _make_room(self, now_ms: int) -> None:
        """Drop counts of expired nonces; where that is not enough, of the oldest, which are expired with that."""
        expired = now_ms - self._nonce_ms
        while self._oldest and (self._oldest[0] >> 32 <= expired or len(self._oldest) >= self._max_nonces):
            issue = heapq.heappop(self._oldest)
            del self._counts[issue]
            self._forgotten = max(self._forgotten, issue)

    def _nonce(self, now_ms: int) -> str:
        self._issued = self._issued + 1 & 0xFFFFFFFF
        issue = f"{now_ms & (1 << 48) - 1:012x}{self._issued:08x}"
        return issue + self._sign(issue)

    def _sign(self, issue: str) -> str:
        return hmac.new(self._secret, f"{issue}:{self.realm}".encode(), hashlib.sha256).hexdigest()[:32]

    def _ha1(self, user: str, algorithm: Algorithm) -> str | None:
        credential = self._credentials.get(user)
        if isinstance(credential, Ha1):
            return credential.md5 if algorithm is Algorithm.MD5 else credential.sha256
        # An unknown user costs the same hash as a known one.
        ha1 = make_ha1(user, self.realm, credential or "", algorithm)
        return None if credential is None else ha1


def make_ha1(user: str, realm: str, password: str, algorithm: Algorithm) -> str:
    """H(user:realm:password) in lower-case hex (RFC 7616 section 3.4.2)."""
    return _hash(algorithm, f"{user}:{realm}:{password}".encode(errors="replace"))


def answer_challenge(
    challenges: str | Sequence[str],
    *,
    method: str,
    uri: str,
    username: str,
    password: str,
    body: bytes,
    cnonce: str,
    nc: int,
) -> str:
    """The Authorization value that answers WWW-Authenticate or Proxy-Authenticate values (the side that is asked).

    The first challenge that can be answered is (RFC 8760 section 2.4: the server's order is its preference). `cnonce`
    is fresh random text, `nc` counts the requests made with this nonce, from 1. DigestUnsupported where none is.
    """
    values = [challenges] if isinstance(challenges, str) else challenges
    for fields in _digest_challenges(values):
        name = fields.get("algorithm", "MD5")
        session = name.lower().endswith("-sess")
        algorithm = _algorithm(name[:-5] if session else name)
        offered = [qop.strip().lower() for qop in fields.get("qop", "").split(",") if qop.strip()]
        qop = next((wanted for wanted in ("auth", "auth-int") if wanted in offered), None)
        if algorithm is None or "realm" not in fields or "nonce" not in fields or (offered and qop is None):
            continue
        realm, nonce, count = fields["realm"], fields["nonce"], f"{nc:08x}"
        ha1 = make_ha1(username, realm, password, algorithm)
        if session:
            ha1 = _hash(algorithm, f"{ha1}:{nonce}:{cnonce}".encode(errors="replace"))
        response = _response(
            algorithm, ha1, method=method, uri=uri, nonce=nonce, count=count, cnonce=cnonce, qop=qop, body=body
        )
        parts = [
            f"username={_quoted(username)}",
            f"realm={_quoted(realm)}",
            f"nonce={_quoted(nonce)}",
            f"uri={_quoted(uri)}",
            f'response="{response}"',
        ]
        if "algorithm" in fields:
            parts.append(f"algorithm={name}")
        if qop is not None:
            parts += [f"qop={qop}", f"nc={count}"]
        if qop is not None or session:
            parts.append(f"cnonce={_quoted(cnonce)}")
        if "opaque" in fields:
            parts.append(f"opaque={_quoted(fields['opaque'])}")
        return "Digest " + ", ".join(parts)
    raise DigestUnsupported


def is_stale(challenges: str | Sequence[str]) -> bool:
    """Whether a repeated challenge only wants a new nonce (RFC 7616 section 3.3, stale) and may be answered again."""
    values = [challenges] if isinstance(challenges, str) else challenges
    return any(fields.get("stale", "").lower() == "true" for fields in _digest_challenges(values))


def _digest_challenges(values: Sequence[str]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for value in values:
        found += [fields for scheme, fields in _parse(value) or () if scheme == "digest"]
    return found


def _parse(value: str) -> list[tuple[str, dict[str, str]]] | None:
    """Schemes with their parameters (RFC 9110 section 11.4), names in lower case; None where the text is otherwise."""
    if len(value) > MAX_HEADER:
        return None
    found: list[tuple[str, dict[str, str]]] = []
    position, end = 0, len(value.rstrip(" \t\r\n"))
    while position < end:
        scheme = _SCHEME.match(value, position)
        if scheme is not None:
            found.append((scheme[1].lower(), {}))
            position = scheme.end()
        parameter = _PARAMETER.match(value, position)
        if parameter is None or not found:
            return None
        name = parameter[1].lower()
        if name in found[-1][1]:
            return None
        quoted = parameter[2]
        found[-1][1][name] = parameter[3] if quoted is None else _ESCAPE.sub(r"\1", quoted)
        position = parameter.end()
    return found


def _response(
    algorithm: Algorithm,
    ha1: str,
    *,
    method: str,
    uri: str,
    nonce: str,
    count: str,
    cnonce: str,
    qop: str | None,
    body: bytes,
) -> str:
    """RFC 7616 section 3.4.1; without qop the form of RFC 2069, which RFC 3261 section 22.4 keeps for old servers."""
    a2 = f"{method}:{uri}"
    if qop == "auth-int":
        a2 += ":" + _hash(algorithm, body)
    ha2 = _hash(algorithm, a2.encode(errors="replace"))
    middle = nonce if qop is None else f"{nonce}:{count}:{cnonce}:{qop}"
    return _hash(algorithm, f"{ha1}:{middle}:{ha2}".encode(errors="replace"))


def _hash(algorithm: Algorithm, data: bytes) -> str:
    if algorithm is Algorithm.MD5:
        return hashlib.md5(data, usedforsecurity=False).hexdigest()
    return hashlib.sha256(data).hexdigest()


def _algorithm(name: str) -> Algorithm | None:
    return next((algorithm for algorithm in Algorithm if algorithm.value.lower() == name.lower()), None)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _covers(digest_uri: str, request_uri: str) -> bool:
    """Whether a credential made for one URI serves a request to the other (RFC 3261 section 22.4).

    The same scheme, user, host and port: a proxy may have changed parameters. A URI without a user names the whole
    server; sipp signs for the address it sends to, whatever it asks for there.
    """
    try:
        signed, requested = SipUri.parse(digest_uri), SipUri.parse(request_uri)
    except MalformedUri:
        return digest_uri == request_uri
    return not signed.user or _resource(signed) == _resource(requested)


def _resource(uri: SipUri) -> tuple[str, str, str, int]:
    default = 5061 if uri.scheme == "sips" else 5060
    return uri.scheme, uri.plain_user, uri.host, default if uri.port is None else uri.port
