"""A dialog: what two user agents keep in common so that they find each other again (RFC 3261 section 12)."""

from dataclasses import dataclass, field

from tallylight.telephony.sip.carrier import HeaderList, Outgoing, next_hop
from tallylight.telephony.sip.codec import Headers, Request, Response, tag_of
from tallylight.telephony.sip.errors import MalformedUri, SipError
from tallylight.telephony.sip.network import Hop
from tallylight.telephony.sip.uri import NameAddress, SipUri

DialogId = tuple[str, str, str]
"""Call-ID, our tag, their tag: never the Call-ID alone, because a call may come back to this same process."""


@dataclass(slots=True, kw_only=True)
class Dialog:
    """One side of a dialog. `local` and `remote` are From and To values as written, tags included."""

    call_id: str
    local: str
    remote: str
    remote_target: SipUri
    route_set: tuple[str, ...]
    local_cseq: int
    remote_cseq: int | None = None
    connection: int | None = None
    """The stream the peer was last heard on."""
    credentials: HeaderList = field(default=())
    """What the peer accepted for our INVITE; its ACK has to bear the same (section 22.1)."""

    @property
    def id(self) -> DialogId:
        """The key of the table of dialogs."""
        return self.call_id, tag_of(self.local), tag_of(self.remote)

    @classmethod
    def of_request(cls, request: Request, to_tag: str, source: Hop) -> "Dialog":
        """The callee's side, from the INVITE (section 12.1.1). Raises SipError 400 without a usable Contact."""
        to = request.headers.get("to")[0]
        dialog = cls(
            call_id=request.call_id,
            local=to if request.to_tag else f"{to};tag={to_tag}",
            remote=request.headers.get("from")[0],
            remote_target=contact_of(request.headers),
            route_set=tuple(request.headers.get("record-route")),
            local_cseq=0,
            remote_cseq=request.cseq,
            connection=source.connection,
        )
        dialog.first_hop()
        return dialog

    @classmethod
    def of_response(cls, response: Response, cseq: int, target: SipUri) -> "Dialog":
        """The caller's side, from a 1xx or 2xx with a To tag (section 12.1.2).

        Where its Contact or Record-Route is of no use, the dialog goes on with the `target` that was called, because a
        2xx has to be acknowledged in any case.
        """
        dialog = cls(
            call_id=response.call_id,
            local=response.headers.get("from")[0],
            remote=response.headers.get("to")[0],
            remote_target=target,
            route_set=tuple(reversed(response.headers.get("record-route"))),
            local_cseq=cseq,
        )
        try:
            dialog.first_hop()
        except SipError:
            dialog.route_set = ()
        dialog.refresh(response.headers, None)
        return dialog

    def next_cseq(self) -> int:
        """The number of our next request; ACK and CANCEL use their INVITE's."""
        self.local_cseq += 1
        return self.local_cseq

    def take_cseq(self, request: Request) -> bool:
        """Whether the peer's request is newer than all before it (section 12.2.2)."""
        if self.remote_cseq is not None and request.cseq <= self.remote_cseq:
            return False
        self.remote_cseq = request.cseq
        return True

    def refresh(self, headers: Headers, connection: int | None) -> None:
        """A re-INVITE or its 2xx may move the peer (section 12.2); a Contact that cannot be used moves nothing."""
        if connection is not None:
            self.connection = connection
        before = self.remote_target
        try:
            self.remote_target = contact_of(headers)
            self.first_hop()
        except SipError:
            self.remote_target = before

    def first_hop(self) -> Hop:
        """Where our requests go: the first route, else the remote target. Raises SipError where it cannot be called."""
        first = NameAddress.parse(self.route_set[0]).uri if self.route_set else self.remote_target
        return next_hop(first, connection=self.connection)

    def request(
        self, method: str, *, cseq: int, contact: str, headers: HeaderList = (), body: bytes = b""
    ) -> tuple[Outgoing, Hop]:
        """A request within the dialog and where it goes, by loose or strict routing (section 12.2.1.1)."""
        target, routes = self.remote_target, self.route_set
        if routes:
            first = NameAddress.parse(routes[0]).uri
            if first.parameter("lr") is None:
                # A strict router wants to be the request-URI itself; the true target travels last.
                target, routes = first, (*routes[1:], f"<{target}>")
        fields: list[tuple[str, str]] = [("Max-Forwards", "70"), ("From", self.local), ("To", self.remote)]
        fields += [("Call-ID", self.call_id), ("CSeq", f"{cseq} {method}")]
        fields += [("Route", route) for route in routes]
        if method not in ("ACK", "BYE"):
            fields.append(("Contact", contact))
        message = Outgoing(method=method, uri=str(target), headers=(*fields, *headers), body=body)
        return message, self.first_hop()


def contact_of(headers: Headers) -> SipUri:
    """The URI of the only Contact. Raises SipError 400 where there is no usable one."""
    contacts = headers.get("contact")
    if len(contacts) != 1:
        raise SipError(400, "There is not exactly one Contact. The peer has to send its own.")
    uri = NameAddress.parse(contacts[0]).uri
    if uri.scheme != "sip":
        raise MalformedUri("a Contact has to be a sip: URI here")
    return uri
