"""What the calls of one user agent share: options, transactions, the table of dialogs."""

import hashlib
import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tallylight.telephony.sip.bodies import SDP
from tallylight.telephony.sip.carrier import Carrier, HeaderList, Timing
from tallylight.telephony.sip.codec import Headers, Request
from tallylight.telephony.sip.dialog import DialogId
from tallylight.telephony.sip.network import Transport
from tallylight.telephony.sip.server_transaction import ServerTransaction
from tallylight.telephony.sip.transactions import Transactions

if TYPE_CHECKING:
    from tallylight.telephony.sip.call import Call

log = logging.getLogger(__name__)

ALLOWED = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO")
KNOWN = frozenset((*ALLOWED, "REGISTER", "PRACK", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REFER", "MESSAGE", "UPDATE"))
"""Methods of the registry: those not allowed are answered 405, foreign ones 501."""
ALLOW: HeaderList = (("Allow", ", ".join(ALLOWED)),)
ACCEPT = f"{SDP}, multipart/mixed, application/dtmf-relay, application/dtmf"
EXTENSIONS: frozenset[str] = frozenset()
"""Option tags we speak (Require, Supported): none yet."""


@dataclass(frozen=True, kw_only=True)
class SipOptions:
    """Settings of one user agent."""

    product: str = "Tallylight"
    """What Server and User-Agent say."""
    timing: Timing = field(default_factory=Timing)
    udp_limit: int = 1300
    """Bytes above which a request meant for UDP goes by TCP (RFC 3261 section 18.1.1)."""
    stay_on_udp: frozenset[str] = frozenset()
    """Peers, as `host` or `host:port`, that get large requests by UDP all the same."""
    stop_s: float = 4.0
    """How long `stop` waits for the peers to answer our BYEs."""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What we answer a peer's challenge with."""

    username: str
    password: str = field(repr=False)


class Board:
    """Made by the user agent, used by its calls."""

    def __init__(self, *, options: SipOptions, carrier: Carrier) -> None:
        self.options = options
        self.carrier = carrier
        self.transactions = Transactions(carrier)
        self.counters = carrier.counters
        self.clock = carrier.clock
        self.dialogs: dict[DialogId, Call] = {}
        self.calls: set[Call] = set()
        """Calls that are not over."""
        self.on_quiet: Callable[[], None] | None = None
        self._secret = carrier.entropy(16)

    def forget(self, dialog_id: DialogId, call: "Call") -> None:
        """A dialog is gone."""
        if self.dialogs.get(dialog_id) is call:
            del self.dialogs[dialog_id]
        self.look_if_quiet()

    def look_if_quiet(self) -> None:
        """Tell whoever waits for the last call to be gone."""
        if self.on_quiet is not None and not self.calls and not self.dialogs:
            self.on_quiet()

    def name(self, call_id: str) -> str:
        """A call's name for logs: a keyed hash, because a Call-ID may hold a number or an address."""
        return hashlib.blake2s(call_id.encode("utf-8", "replace"), key=self._secret, digest_size=6).hexdigest()

    def stable_tag(self, request: Request) -> str:
        """The To tag of an answer without a transaction: the same for every copy of the request (section 8.2.7)."""
        text = f"{request.call_id}\0{request.via.branch}\0{request.cseq}".encode("utf-8", "replace")
        return hashlib.blake2s(text, key=self._secret, digest_size=8).hexdigest()

    def contact(self, transport: Transport) -> str:
        """Our Contact value for a dialog on this transport."""
        suffix = ";transport=tcp" if transport is Transport.TCP else ""
        return f"<sip:{self.carrier.sent_by(transport)}{suffix}>"

    def server(self) -> HeaderList:
        """Who we say we are, in responses."""
        return (("Server", self.options.product),)

    def user_agent(self) -> HeaderList:
        """Who we say we are, in requests."""
        return (("User-Agent", self.options.product),)

    def capabilities(self) -> HeaderList:
        """What OPTIONS is answered with (section 11.2)."""
        return (*ALLOW, ("Accept", ACCEPT), ("Accept-Encoding", "identity"), ("Supported", ", ".join(EXTENSIONS)))

    def log_fault(self, error: Exception, call_id: str) -> None:
        """Write down where an unexpected error arose: never its text, which may hold a number or a name."""
        frames = traceback.extract_tb(error.__traceback__)
        where = f"{frames[-1].name}:{frames[-1].lineno}" if frames else "?"
        log.error("call %s: %s in %s", self.name(call_id), type(error).__name__, where)


def check_extensions(headers: Headers) -> HeaderList | None:
    """The headers of a 420 where an extension is required that we do not speak (section 8.2.2.3), else None."""
    unknown = [tag for tag in headers.get("require") if tag and tag.lower() not in EXTENSIONS]
    return tuple(("Unsupported", tag) for tag in unknown) if unknown else None


def refuse_method(transaction: ServerTransaction) -> None:
    """405 for a method we know and do not allow, 501 for a foreign one (sections 8.2.1, 21.4.6, 21.5.2)."""
    transaction.respond(405 if transaction.request.method in KNOWN else 501, headers=ALLOW)


def body_headers(content_type: str) -> HeaderList:
    """The header that goes with a body."""
    return (("Content-Type", content_type),)
