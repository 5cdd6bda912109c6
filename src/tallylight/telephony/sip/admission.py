"""Who may talk to us over SIP: peers by address, everybody else by credentials, and a limit on how often we say no.

Pure: time (ms, any clock that does not jump) is passed in. Judge requests that would open a transaction; never an ACK
or a CANCEL, which cannot be challenged (RFC 3261 section 22.1).
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from tallylight.telephony.sip.digest import DigestServer, Verified

IpNetwork = IPv4Network | IPv6Network


@dataclass(frozen=True, kw_only=True)
class Admit:
    """Let it in. `identity`: the user whose password was proven; `trusted`: by its address."""

    identity: str | None
    trusted: bool


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """Answer 401 with one WWW-Authenticate header for each value."""

    headers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Forbid:
    """Answer 403."""


@dataclass(frozen=True, kw_only=True)
class Silence:
    """Answer nothing: this address, or everybody together, has been told no often enough."""


Judgement = Admit | Challenge | Forbid | Silence


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many refusals (401 or 403) are sent: token buckets, one for each address and one over all."""

    burst: int = 10
    per_second: float = 1.0
    overall_burst: int = 200
    overall_per_second: float = 100.0
    addresses: int = 10_000
    """Addresses remembered at once (an IPv6 /64 counts as one); the longest unheard is forgotten first."""


class _Bucket:
    __slots__ = ("_burst", "_last_ms", "_per_ms", "_tokens")

    def __init__(self, burst: int, per_second: float, now_ms: int) -> None:
        self._burst = float(burst)
        self._per_ms = per_second / 1000
        self._tokens = self._burst
        self._last_ms = now_ms

    def available(self, now_ms: int) -> bool:
        self._tokens = min(self._burst, self._tokens + max(0, now_ms - self._last_ms) * self._per_ms)
        self._last_ms = now_ms
        return self._tokens >= 1.0

    def take(self) -> None:
        self._tokens -= 1.0

    def give_back(self) -> None:
        self._tokens = min(self._burst, self._tokens + 1.0)


class Admission:
    """The door. `allowed` networks come in by address; `digest` is None where no credentials are configured."""

    def __init__(self, allowed: Sequence[IpNetwork], digest: DigestServer | None, limits: Limits | None = None) -> None:
        self._allowed = tuple(allowed)
        self._digest = digest
        self._limits = limits or Limits()
        self._buckets: OrderedDict[IpNetwork, _Bucket] = OrderedDict()
        self._overall: _Bucket | None = None
        self.silenced = 0
        """Requests answered with nothing so far."""

    def judge(
        self, source_ip: str, *, method: str, uri: str, authorization: str | None, body: bytes, now_ms: int
    ) -> Judgement:
        """May this request in? `uri` is the request-URI, `authorization` the Authorization value if there is one."""
        if self.lists(source_ip):
            return Admit(identity=None, trusted=True)
        return self.judge_credentials(
            source_ip, method=method, uri=uri, authorization=authorization, body=body, now_ms=now_ms
        )

    def judge_credentials(
        self, source_ip: str, *, method: str, uri: str, authorization: str | None, body: bytes, now_ms: int
    ) -> Judgement:
        """As `judge`, but no address is enough: for what only a proven user may ask, such as another target."""
        overall, bucket = self._overall_bucket(now_ms), self._bucket(source_ip, now_ms)
        # Checked before any password is: answers limit guesses only where the right guess needs a token as well.
        if bucket is None or not bucket.available(now_ms) or not overall.available(now_ms):
            self.silenced += 1
            return Silence()
        bucket.take()
        if self._digest is None:
            overall.take()
            return Forbid()
        stale = False
        if authorization is not None:
            verdict = self._digest.verify(authorization, method=method, uri=uri, body=body, now_ms=now_ms)
            if isinstance(verdict, Verified):
                # The challenge before this cost a token as well: who signs in properly never runs out.
                bucket.give_back()
                bucket.give_back()
                return Admit(identity=verdict.user, trusted=self.lists(source_ip))
            stale = verdict.stale
        overall.take()
        return Challenge(headers=self._digest.challenge(now_ms, stale=stale))

    def lists(self, source_ip: str) -> bool:
        """Whether this address is one of the allowed peers."""
        address = _address(source_ip)
        return address is not None and any(address in network for network in self._allowed)

    def _overall_bucket(self, now_ms: int) -> _Bucket:
        if self._overall is None:
            self._overall = _Bucket(self._limits.overall_burst, self._limits.overall_per_second, now_ms)
        return self._overall

    def _bucket(self, source_ip: str, now_ms: int) -> _Bucket | None:
        address = _address(source_ip)
        if address is None:
            return None
        # Whoever has one IPv6 address has 2^64 of them.
        prefix = 64 if isinstance(address, IPv6Address) else 32
        network = ip_network((address, prefix), strict=False)
        bucket = self._buckets.get(network)
        if bucket is None:
            if len(self._buckets) >= self._limits.addresses:
                self._buckets.popitem(last=False)
            bucket = self._buckets[network] = _Bucket(self._limits.burst, self._limits.per_second, now_ms)
        else:
            self._buckets.move_to_end(network)
        return bucket


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
