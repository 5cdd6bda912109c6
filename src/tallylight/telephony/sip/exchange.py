"""A request of ours until it is truly answered: a challenge is met with credentials (RFC 3261 section 22.2)."""

from collections.abc import Callable

from tallylight.telephony.sip.board import Board, Credentials
from tallylight.telephony.sip.carrier import HeaderList, Outgoing
from tallylight.telephony.sip.client_transaction import ClientTransaction
from tallylight.telephony.sip.codec import Response
from tallylight.telephony.sip.digest import DigestUnsupported, answer_challenge, is_stale
from tallylight.telephony.sip.errors import SipError
from tallylight.telephony.sip.network import Hop

_ANSWERS = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}


class Exchange:
    """`make` builds the request, with a new CSeq each time, given the headers that sign it.

    A 401 and a 407 are answered once each, and once more where only the nonce was stale; other responses go up.
    """

    __slots__ = (
        "_answered",
        "_board",
        "_credentials",
        "_make",
        "_on_failed",
        "_on_response",
        "_signed",
        "given_up",
        "transaction",
    )

    def __init__(
        self,
        board: Board,
        make: Callable[[HeaderList], tuple[Outgoing, Hop]],
        *,
        credentials: Credentials | None,
        on_response: Callable[[Response], None],
        on_failed: Callable[[int], None],
    ) -> None:
        self._board = board
        self._make = make
        self._credentials = credentials
        self._on_response = on_response
        self._on_failed = on_failed
        self._signed: dict[str, str] = {}
        self._answered: set[tuple[int, str]] = set()
        self.given_up = False
        """Set to answer no challenge any more."""
        self.transaction: ClientTransaction | None = None

    @property
    def authorization(self) -> HeaderList:
        """The headers that signed the last request."""
        return tuple(self._signed.items())

    def start(self) -> None:
        """Send the request. Raises SipError where it cannot be built."""
        message, hop = self._make(self.authorization)
        self.transaction = self._board.transactions.request(
            message, hop, on_response=self._receive, on_failed=self._on_failed
        )

    def _receive(self, response: Response) -> None:
        if response.status in _ANSWERS and not self.given_up and self._sign(response):
            try:
                self.start()
            except SipError as error:
                self._on_failed(error.status)
            return
        self._on_response(response)

    def _sign(self, response: Response) -> bool:
        """Whether the challenge can be answered once more."""
        challenge, answer = _ANSWERS[response.status]
        values = response.headers.get(challenge)
        transaction = self.transaction
        if self._credentials is None or not values or transaction is None:
            return False
        turn = "stale" if (response.status, "first") in self._answered and is_stale(values) else "first"
        if (response.status, turn) in self._answered:
            return False
        self._answered.add((response.status, turn))
        try:
            self._signed[answer] = answer_challenge(
                values,
                method=transaction.message.method,
                uri=transaction.message.uri,
                username=self._credentials.username,
                password=self._credentials.password,
                body=transaction.message.body,
                cnonce=self._board.carrier.entropy(8).hex(),
                nc=1,
            )
        except DigestUnsupported:
            return False
        return True
