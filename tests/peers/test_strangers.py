"""Who is let in, and what malformed messages are answered with: sockets that say exactly these bytes, and sipp's digest."""

import logging
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import needs
from tests.peers.house import House, served
from tests.peers.pcap import Press, stream
from tests.peers.ports import LOOPBACK, Ports, reserved
from tests.peers.sipp import Sipp
from tests.peers.sound import speech

FIGURES = logging.getLogger(__name__)
"""What was measured: shown by --log-cli-level INFO."""

FLOW = "prompt_seconds = 0.3\nrepeat_wait_s = 0.5\nagent_ring_s = 2"
PATIENCE_S = 5.0

SDP = (
    "v=0\r\no=raw 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)


class Raw:
    """A UDP socket and a dialect of SIP that can be bent."""

    def __init__(self, house: House) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((LOOPBACK, 0))
        self._socket.connect((LOOPBACK, house.sip_port))
        self.port = self._socket.getsockname()[1]
        self._house = house.sip_port
        self._count = 0

    def request(self, method: str, *, call: str, **changes: str | None) -> bytes:
        """A request; `changes` replace a header (underscores for hyphens), the `line` or the `body`; None leaves it out."""
        self._count += 1
        body = changes.pop("body", "") or ""
        line = changes.pop("line", None) or f"{method} sip:service@{LOOPBACK}:{self._house} SIP/2.0"
        headers: dict[str, str | None] = {
            "Via": f"SIP/2.0/UDP {LOOPBACK}:{self.port};branch=z9hG4bK{call}{self._count};rport",
            "From": f"<sip:raw@{LOOPBACK}>;tag=f{call}",
            "To": f"<sip:service@{LOOPBACK}>",
            "Call-ID": call,
            "CSeq": f"1 {method}",
            "Max-Forwards": "70",
            "Contact": f"<sip:raw@{LOOPBACK}:{self.port}>",
        }
        if body:
            headers["Content-Type"] = "application/sdp"
        headers["Content-Length"] = str(len(body))
        headers |= {name.replace("_", "-"): value for name, value in changes.items()}
        lines = [line, *(f"{name}: {value}" for name, value in headers.items() if value is not None)]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body.encode()

    def send(self, *messages: bytes) -> None:
        for message in messages:
            self._socket.send(message)

    def status(self, call: str, method: str = "") -> tuple[int, bytes]:
        """The next final answer to a call's request of this method."""
        self._socket.settimeout(PATIENCE_S)
        while True:
            data = self._socket.recv(65_535)
            found = re.match(rb"SIP/2.0 (\d+)", data)
            fits = f"Call-ID: {call}\r\n".encode() in data and f" {method}".encode() in data
            if found is not None and int(found[1]) >= 200 and fits:
                return int(found[1]), data

    def acknowledge(self, call: str, answer: bytes) -> None:
        """The ACK of a final answer to an INVITE that was not 2xx: same branch, the answer's To."""
        via, to = (re.search(rb"^" + name + rb": ([^\r]*)", answer, re.MULTILINE) for name in (b"Via", b"To"))
        assert via is not None
        assert to is not None
        branch = re.sub(r";(received|rport)=[^;]*", "", via[1].decode())
        self.send(self.request("ACK", call=call, Via=branch, To=to[1].decode()))

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(scope="module")
def house(ports: Ports, prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Lets this machine in; its agent is nobody. One number belongs to its project, and no project takes the rest."""
    folder = tmp_path_factory.mktemp("strangers")
    with served(
        folder, ports, prompts=prompts, agent=f"sip:agent@{LOOPBACK}:{ports.sip(1)}", flow=FLOW,
        project='numbers = ["service", "+4570101010"]',
    ) as house:  # fmt: skip
        yield house


@pytest.fixture
def raw(house: House) -> Iterator[Raw]:
    raw = Raw(house)
    yield raw
    raw.close()


@dataclass(frozen=True)
class Bent:
    """How a request is bent, and the answer it deserves."""

    name: str
    method: str
    status: int
    changes: dict[str, str | None]


BENT = [
    Bent("a body shorter than declared", "OPTIONS", 400, {"Content-Length": "500"}),
    Bent("a negative length", "OPTIONS", 400, {"Content-Length": "-1"}),
    Bent("another method in CSeq", "OPTIONS", 400, {"CSeq": "1 INVITE"}),
    Bent("no number in CSeq", "OPTIONS", 400, {"CSeq": "one OPTIONS"}),
    Bent("a CSeq of 2^31", "OPTIONS", 400, {"CSeq": "2147483648 OPTIONS"}),
    Bent("Max-Forwards in words", "OPTIONS", 400, {"Max-Forwards": "seventy"}),
    Bent("another version", "OPTIONS", 505, {"line": "OPTIONS sip:service@127.0.0.1 SIP/7.0"}),
    Bent("a line that is none", "OPTIONS", 400, {"line": "OPTIONS SIP/2.0"}),
    Bent("an unknown scheme", "INVITE", 416, {"line": "INVITE nobody:service@127.0.0.1 SIP/2.0"}),
    Bent("no hops left", "INVITE", 483, {"Max-Forwards": "0"}),
    Bent("an extension we lack", "INVITE", 420, {"Require": "timetravel"}),
    Bent("an unknown method", "DANCE", 501, {}),
    Bent("a method we lack", "SUBSCRIBE", 405, {}),
    Bent("a dialog that never was", "BYE", 481, {"To": "<sip:service@127.0.0.1>;tag=gone"}),
    Bent("a re-INVITE of no dialog", "INVITE", 481, {"To": "<sip:service@127.0.0.1>;tag=gone"}),
    Bent("a body of another kind", "INVITE", 415, {"body": "hello", "Content-Type": "text/plain"}),
    Bent("a session that is none", "INVITE", 400, {"body": "hello\r\n"}),
    Bent("a codec we lack", "INVITE", 488, {"body": SDP.replace("AVP 0", "AVP 18").replace("0 PCMU", "18 G729")}),
    Bent("only video", "INVITE", 488, {"body": SDP.replace("m=audio", "m=video")}),
    Bent("sound over TLS that we lack", "INVITE", 488, {"body": SDP.replace("RTP/AVP", "RTP/SAVP")}),
    Bent("a number of nobody", "INVITE", 404, {"line": "INVITE sip:+4599999999@127.0.0.1 SIP/2.0", "body": SDP}),
]  # fmt: skip


@pytest.mark.parametrize("bent", BENT, ids=lambda bent: bent.name.replace(" ", "-"))
def test_a_bent_request_gets_the_answer_it_deserves(raw: Raw, bent: Bent) -> None:
    call = bent.name.replace(" ", "-").replace("^", "")
    raw.send(raw.request(bent.method, call=call, **bent.changes))
    status, answer = raw.status(call)
    if bent.method == "INVITE":
        raw.acknowledge(call, answer)
    assert status == bent.status, answer


def test_rubbish_is_dropped_and_the_house_stands(house: House, raw: Raw) -> None:
    raw.send(
        b"\x00" * 60_000,
        bytes(range(256)) * 20,
        b"INVITE",
        b"\r\n\r\n",
        b"SIP/2.0 200 OK\r\n\r\n",
        raw.request("OPTIONS", call="no-call-id", **{"Call-ID": None}),
        raw.request("OPTIONS", call="no-via", Via=None),
        raw.request("ACK", call="stray-ack"),
        raw.request("INVITE", call="endless", Subject="x" * 60_000),
        raw.request("OPTIONS", call="after"),
    )
    assert raw.status("after")[0] == 200


def test_a_stream_without_content_length_is_refused(house: House) -> None:
    raw = Raw(house)
    message = raw.request("OPTIONS", call="stream", **{"Content-Length": None})
    with socket.create_connection((LOOPBACK, house.sip_port), timeout=PATIENCE_S) as stream_:
        stream_.sendall(message.replace(b"/UDP", b"/TCP"))
        assert stream_.recv(65_535).startswith(b"SIP/2.0 400")
    raw.close()


def test_a_request_in_pieces_is_one_request(house: House) -> None:
    """TCP keeps no borders: two requests in uneven pieces."""
    raw = Raw(house)
    both = b"".join(raw.request("OPTIONS", call=f"piece{n}").replace(b"/UDP", b"/TCP") for n in (1, 2))
    with socket.create_connection((LOOPBACK, house.sip_port), timeout=PATIENCE_S) as stream_:
        for at in range(0, len(both), 37):
            stream_.sendall(both[at : at + 37])
        answers = b""
        while answers.count(b"SIP/2.0 200") < 2:
            answers += stream_.recv(65_535)
    assert b"Call-ID: piece1" in answers
    assert b"Call-ID: piece2" in answers
    raw.close()


def test_a_cancel_right_behind_the_invite_leaves_no_call(house: House, raw: Raw) -> None:
    """200 to the CANCEL, and either 487 to the INVITE or a call that our BYE ends (RFC 3261 sections 9.2 and 15)."""
    call = "at-once"
    invite = raw.request("INVITE", call=call, body=SDP)
    via = re.search(rb"Via: ([^\r]*)", invite)
    assert via is not None
    raw.send(invite, raw.request("CANCEL", call=call, Via=via[1].decode()))
    got = {}
    for _ in range(2):
        status, answer = raw.status(call)
        got["CANCEL" if b"CSeq: 1 CANCEL" in answer else "INVITE"] = (status, answer)
    assert got["CANCEL"][0] == 200
    status, answer = got["INVITE"]
    FIGURES.info(f"the INVITE was answered {status}")
    assert status in (200, 487)
    raw.acknowledge(call, answer)
    if status == 200:
        to = re.search(rb"To: ([^\r]*)", answer)
        assert to is not None
        raw.send(raw.request("BYE", call=call, To=to[1].decode(), CSeq="2 BYE"))
        assert raw.status(call, "BYE")[0] == 200
    house.until_idle(seconds=10)


def test_an_agent_who_is_not_there_is_an_apology(house: House, raw: Raw) -> None:
    """Nobody listens where the agent should be: apology, BYE, outcome. The caller sends no sound at all."""
    call = "unreachable"
    raw.send(raw.request("INVITE", call=call, From=f"<sip:unreachable@{LOOPBACK}>;tag=u", body=SDP))
    status, answer = raw.status(call)
    assert status == 200
    to = re.search(rb"To: ([^\r]*)", answer)
    assert to is not None
    raw.send(raw.request("ACK", call=call, From=f"<sip:unreachable@{LOOPBACK}>;tag=u", To=to[1].decode()))
    house.until_idle(seconds=20)
    (found,) = [entry for entry in house.recordings() if entry.caller == f"sip:unreachable@{LOOPBACK}"]
    assert found.outcome in ("agent_no_answer", "agent_unreachable")


@needs.sipp
@needs.root
def test_only_who_signs_in_is_let_in_from_elsewhere(prompts: Path, tmp_path: Path) -> None:
    """This machine's address is not listed: 401, then the password; with it, a target of one's own choice.

    Prompts cannot be cut where people may sign in; a refusal counts in the middle of them.
    """
    with ExitStack() as stack:
        ports = stack.enter_context(reserved())
        sounds = {"agent": stream(speech(3, voice=1), ssrc=0xA6E)}
        agent = Sipp(tmp_path / "agent", "agent", ports, 1, sounds=sounds)
        other = Sipp(tmp_path / "other", "agent", ports, 2, sounds=sounds)
        stack.callback(agent.stop)
        stack.callback(other.stop)
        house = stack.enter_context(
            served(
                tmp_path, ports, prompts=prompts, agent=f"sip:agent@{LOOPBACK}:{agent.port}",
                sip='allowed = ["127.0.0.2/32"]\n[sip.credentials]\nalice = "correct horse"',
            )
        )  # fmt: skip
        call = {"call": stream(speech(3, voice=0), presses=[Press(at_ms=900, key="2")])}
        ours, elsewhere = f"sip:service@{house.address}", f"sip:other@{LOOPBACK}:{other.port}"
        right, wrong = (("-au", "alice", "-ap", word) for word in ("correct horse", "wrong"))
        peers = [
            Sipp(
                tmp_path / user, scenario, ports, 3 + n, target=house.address, stay_ms=3000,
                keys={"user": user, "uri": uri}, sounds=call, more=login,
            )
            for n, (user, scenario, uri, login) in enumerate((
                ("+4520300001", "signs_in", ours, right),
                ("+4520300002", "signs_in", elsewhere, right),
                ("+4520300003", "wrong_password", ours, wrong),
            ))
        ]  # fmt: skip
        for peer in peers:
            stack.callback(peer.stop)
        for peer in peers:
            peer.finish()
        agent.finish()
        other.finish()
        house.until_idle()
        calls = {entry.caller: entry for entry in house.recordings()}
        assert set(calls) == {"+4520300001", "+4520300002"}
        assert all(entry.party("customer").consent == "refused" for entry in calls.values())
        assert [calls[f"+452030000{n}"].party("agent").address for n in (1, 2)] == [
            f"sip:agent@{LOOPBACK}", f"sip:other@{LOOPBACK}",
        ]  # fmt: skip


@needs.sipp
@needs.root
def test_where_nobody_can_sign_in_strangers_get_403_and_then_silence(prompts: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        ports = stack.enter_context(reserved())
        house = stack.enter_context(
            served(
                tmp_path, ports, prompts=prompts, agent=f"sip:agent@{LOOPBACK}:{ports.sip(1)}", flow=FLOW,
                sip='allowed = ["127.0.0.2/32"]',
            )
        )  # fmt: skip
        peer = Sipp(tmp_path / "no", "refused", ports, 2, target=house.address, keys={"user": "+4520300003"})
        stack.callback(peer.stop)
        peer.finish()
        raw = Raw(house)
        stack.callback(raw.close)
        # The bucket of one address holds ten refusals, and one more each second.
        asked = [raw.request("OPTIONS", call=f"knock{n}") for n in range(30)]
        raw.send(*asked)
        refused = [raw.status(f"knock{n}")[0] for n in range(5)]
        assert refused == [403] * 5
        with pytest.raises(TimeoutError):
            raw.status("knock29")
        assert house.recordings() == []
