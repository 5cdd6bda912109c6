"""All transactions of one user agent, and which message belongs to which (RFC 3261 sections 17.1.3, 17.2.3)."""

from collections.abc import Callable

from tallylight.telephony.sip.carrier import Carrier, Outgoing
from tallylight.telephony.sip.client_transaction import (
    ClientTransaction,
    InviteClientTransaction,
    OtherClientTransaction,
)
from tallylight.telephony.sip.codec import Request, Response
from tallylight.telephony.sip.network import Hop
from tallylight.telephony.sip.server_transaction import (
    InviteServerTransaction,
    Key,
    OtherServerTransaction,
    ServerTransaction,
    key_of,
)

_Origin = tuple[str, int, str, str]


class Transactions:
    """The matching tables."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self._clients: dict[tuple[str, str], ClientTransaction] = {}
        self._servers: dict[Key, ServerTransaction] = {}
        self._origins: dict[_Origin, Key] = {}

    def __len__(self) -> int:
        """Transactions alive."""
        return len(self._clients) + len(self._servers)

    def request(
        self,
        message: Outgoing,
        hop: Hop,
        *,
        on_response: Callable[[Response], None],
        on_failed: Callable[[int], None],
    ) -> ClientTransaction:
        """Send a request (not an ACK) in a transaction of its own. Raises SipError 400 for a message that cannot be."""
        kind = InviteClientTransaction if message.method == "INVITE" else OtherClientTransaction
        transaction = kind(
            self.carrier,
            message,
            hop,
            on_response=on_response,
            on_failed=on_failed,
            on_terminated=self._client_terminated,
        )
        self._clients[transaction.key] = transaction
        self.carrier.counters.transactions += 1
        transaction.start()
        return transaction

    def cancel(self, invite: ClientTransaction, *, on_response: Callable[[Response], None]) -> None:
        """Send the CANCEL of an INVITE: same Via, same hop, a transaction of its own (section 9.1)."""
        headers = [(name, value) for name, value in invite.message.headers if name in _KEPT_IN_CANCEL]
        headers += [("CSeq", value.split()[0] + " CANCEL") for name, value in invite.message.headers if name == "CSeq"]
        message = Outgoing(method="CANCEL", uri=invite.message.uri, headers=tuple(headers))
        transaction = OtherClientTransaction(
            self.carrier,
            message,
            invite.carriage.hop,
            on_response=on_response,
            on_failed=lambda status: None,
            on_terminated=self._client_terminated,
            branch=invite.carriage.branch,
        )
        self._clients[transaction.key] = transaction
        self.carrier.counters.transactions += 1
        transaction.start()

    def receive_response(self, response: Response) -> bool:
        """Give a response to its transaction; False where it belongs to none."""
        transaction = self._clients.get((response.branch, response.method))
        if transaction is None:
            return False
        transaction.receive(response)
        return True

    def receive_again(self, request: Request) -> bool:
        """Give a repeated request, or the ACK to a refusal, to its transaction; False where it belongs to none."""
        transaction = self._servers.get(key_of(request))
        if transaction is None:
            return False
        transaction.receive_again(request)
        return True

    def accept(self, request: Request, source: Hop, to_tag: str) -> ServerTransaction:
        """A new request (not an ACK) gets a transaction."""
        key = key_of(request)
        kind = InviteServerTransaction if request.method == "INVITE" else OtherServerTransaction
        transaction = kind(self.carrier, request, source, key=key, to_tag=to_tag, on_terminated=self._server_terminated)
        self._servers[key] = transaction
        if not request.to_tag:
            self._origins.setdefault(_origin(request), key)
        self.carrier.counters.transactions += 1
        return transaction

    def is_merged(self, request: Request) -> bool:
        """Whether this request outside a dialog also came another way and is being served (section 8.2.2.2)."""
        key = self._origins.get(_origin(request))
        return key is not None and key != key_of(request)

    def invite_of(self, cancel: Request) -> InviteServerTransaction | None:
        """The INVITE that a CANCEL means (section 9.2)."""
        *rest, _ = key_of(cancel)
        found = self._servers.get((*rest, "INVITE"))
        return found if isinstance(found, InviteServerTransaction) else None

    def abandon(self) -> None:
        """End every transaction without a word: the network is going away."""
        for client in list(self._clients.values()):
            client.abandon()
        for server in list(self._servers.values()):
            server.abandon()

    def _client_terminated(self, transaction: ClientTransaction) -> None:
        self._clients.pop(transaction.key, None)

    def _server_terminated(self, transaction: ServerTransaction) -> None:
        self._servers.pop(transaction.key, None)
        origin = _origin(transaction.request)
        if self._origins.get(origin) == transaction.key:
            del self._origins[origin]


def _origin(request: Request) -> _Origin:
    return request.call_id, request.cseq, request.from_tag, request.method


_KEPT_IN_CANCEL = ("Max-Forwards", "From", "To", "Call-ID", "Route")
