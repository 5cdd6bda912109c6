"""Offer and answer for one G.711 stream: hold in three spellings, odd spellings of everything, and what is refused."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.telephony.rtp.negotiated import Codec, Direction, Latch, Negotiated
from tallylight.telephony.sip.sdp import (
    LocalMedia,
    SdpMalformed,
    SdpUnacceptable,
    accept,
    answer,
    offer,
    parse,
)
from tests import needs
from tests.telephony.sip.fuzz_sdp import fuzz_one

SAMPLES = needs.SHARED / "samples" / "siprec"
LOCAL = LocalMedia(address="192.0.2.1", port=10000, session=77)
HEAD = "v=0\r\no=- 4711 2 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n"


def sdp(*lines: str, head: str = HEAD) -> bytes:
    return (head + "".join(line + "\r\n" for line in lines)).encode()


def settled(*lines: str, local: LocalMedia = LOCAL, head: str = HEAD) -> Negotiated:
    return answer(sdp(*lines, head=head), local)[1]


def lines_of(data: bytes) -> list[str]:
    assert data.endswith(b"\r\n")
    return data.decode().split("\r\n")[:-1]


def test_an_offer_says_exactly_this() -> None:
    assert lines_of(offer(LOCAL)) == [
        "v=0",
        "o=- 77 1 IN IP4 192.0.2.1",
        "s=-",
        "c=IN IP4 192.0.2.1",
        "t=0 0",
        "m=audio 10000 RTP/AVP 8 0 101",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=ptime:20",
        "a=sendrecv",
    ]


def test_a_softphones_offer_is_answered_in_its_own_order_and_numbers() -> None:
    reply, negotiated = answer(
        sdp(
            "m=audio 40000 RTP/AVP 96 0 97 8 13 18",
            "a=rtpmap:96 opus/48000/2",
            "a=rtpmap:97 telephone-event/8000",
            "a=fmtp:97 0-16",
            "a=ptime:30",
        ),
        LOCAL,
    )
    assert lines_of(reply)[5:] == [
        "m=audio 10000 RTP/AVP 0 8 97 13",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:97 telephone-event/8000",
        "a=rtpmap:13 CN/8000",
        "a=fmtp:97 0-15",
        "a=ptime:30",
        "a=sendrecv",
    ]
    assert negotiated == Negotiated(
        remote=("198.51.100.9", 40000),
        codec=Codec.PCMU,
        payload_types={0: Codec.PCMU, 8: Codec.PCMA},
        telephone_event=97,
        comfort_noise=13,
        ptime_ms=30,
    )


def test_the_other_legs_codec_comes_first_where_we_say_so() -> None:
    reply, negotiated = answer(sdp("m=audio 40000 RTP/AVP 0 8"), replace(LOCAL, prefer=Codec.PCMA))
    assert "m=audio 10000 RTP/AVP 8 0" in lines_of(reply)
    assert negotiated.codec is Codec.PCMA
    assert settled("m=audio 40000 RTP/AVP 0", local=replace(LOCAL, prefer=Codec.PCMA)).codec is Codec.PCMU
    narrow = settled("m=audio 40000 RTP/AVP 0 8", local=replace(LOCAL, codecs=(Codec.PCMA,)))
    assert narrow.payload_types == {8: Codec.PCMA}


def test_dynamic_payload_types_are_answered_as_offered() -> None:
    reply, negotiated = answer(
        sdp(
            "m=audio 40000 RTP/AVP 110 111 19",
            "a=rtpmap:110 pcma/8000/1",
            "a=rtpmap:111 PCMU/8000",
            "a=rtpmap:19 CN/8000",
        ),
        LOCAL,
    )
    assert "m=audio 10000 RTP/AVP 110 111 19" in lines_of(reply)
    assert negotiated.payload_types == {110: Codec.PCMA, 111: Codec.PCMU}
    assert (negotiated.codec, negotiated.send_type) == (Codec.PCMA, 110)
    assert negotiated.comfort_noise == 19


def test_a_codec_at_another_clock_or_in_stereo_is_not_g711() -> None:
    negotiated = settled(
        "m=audio 40000 RTP/AVP 96 97 98 99 8",
        "a=rtpmap:96 PCMU/16000",
        "a=rtpmap:97 PCMA/8000/2",
        "a=rtpmap:98 telephone-event/48000",
        "a=rtpmap:99 telephone-event/8000",
    )
    assert negotiated.payload_types == {8: Codec.PCMA}
    assert negotiated.telephone_event == 99


def test_without_telephone_event_there_is_none() -> None:
    assert settled("m=audio 40000 RTP/AVP 0").telephone_event is None
    event = ("m=audio 40000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000")
    assert settled(*event).telephone_event == 101
    reply, negotiated = answer(sdp(*event), replace(LOCAL, telephone_event=None))
    assert negotiated.telephone_event is None
    assert b"telephone-event" not in reply
    assert b"telephone-event" not in offer(replace(LOCAL, telephone_event=None))


@pytest.mark.parametrize(
    ("attributes", "ptime_ms"),
    [
        ([], 20),
        (["a=ptime:10"], 10),
        (["a=ptime:60"], 60),
        (["a=ptime:240"], 60),
        (["a=ptime:25"], 20),
        (["a=ptime:5"], 10),
        (["a=ptime:30.0"], 30),
        (["a=ptime: 40"], 40),
        (["a=ptime:x"], 20),
        (["a=ptime:nan"], 20),
        (["a=ptime:inf"], 20),
        (["a=ptime:-3"], 20),
        (["a=ptime:0"], 20),
        (["a=maxptime:10"], 10),
        (["a=ptime:60", "a=maxptime:40"], 40),
        (["a=maxptime:150"], 20),
    ],
)
def test_packet_length_follows_the_peer(attributes: list[str], ptime_ms: int) -> None:
    assert settled("m=audio 40000 RTP/AVP 0", *attributes).ptime_ms == ptime_ms


def test_session_level_lines_hold_until_the_media_says_otherwise() -> None:
    head = HEAD + "a=sendonly\r\na=ptime:40\r\n"
    assert settled("m=audio 40000 RTP/AVP 0", head=head).direction is Direction.RECVONLY
    assert settled("m=audio 40000 RTP/AVP 0", head=head).ptime_ms == 40
    own = settled("m=audio 40000 RTP/AVP 0", "c=IN IP4 203.0.113.4", "a=sendrecv", "a=ptime:30", head=head)
    assert (own.direction, own.ptime_ms, own.remote) == (Direction.SENDRECV, 30, ("203.0.113.4", 40000))


@pytest.mark.parametrize(
    ("address", "attribute", "direction"),
    [
        ("198.51.100.9", "a=sendrecv", "sendrecv"),
        ("198.51.100.9", "a=sendonly", "recvonly"),
        ("198.51.100.9", "a=recvonly", "sendonly"),
        ("198.51.100.9", "a=inactive", "inactive"),
        ("0.0.0.0", "a=sendrecv", "recvonly"),
        ("0.0.0.0", "a=sendonly", "recvonly"),
        ("0.0.0.0", "a=recvonly", "inactive"),
        ("0.0.0.0", "a=inactive", "inactive"),
    ],
)
def test_hold_is_mirrored_in_all_three_spellings(address: str, attribute: str, direction: str) -> None:
    offered = sdp(f"c=IN IP4 {address}", "m=audio 40000 RTP/AVP 0", attribute)
    reply, negotiated = answer(offered, LOCAL)
    assert f"a={direction}" in lines_of(reply)
    assert negotiated.direction.value == direction
    assert negotiated.remote == (address, 40000)
    assert parse(offered).streams[0].held == (address == "0.0.0.0" or attribute in ("a=sendonly", "a=inactive"))


@pytest.mark.parametrize("ours", list(Direction))
@pytest.mark.parametrize("theirs", list(Direction))
def test_nobody_does_more_than_both_allow(ours: Direction, theirs: Direction) -> None:
    reply, called = answer(sdp("m=audio 40000 RTP/AVP 0", f"a={theirs.value}"), replace(LOCAL, direction=ours))
    assert called.direction.sends == (ours.sends and theirs.receives)
    assert called.direction.receives == (ours.receives and theirs.sends)
    calling = accept(reply, LocalMedia(address="198.51.100.9", port=40000, session=1, direction=theirs))
    assert (calling.direction.sends, calling.direction.receives) == (called.direction.receives, called.direction.sends)


def test_every_media_line_is_answered_in_place() -> None:
    reply, negotiated = answer(
        sdp(
            "m=video 41000 RTP/AVP 96",
            "a=rtpmap:96 VP8/90000",
            "m=audio 41002 RTP/SAVP 0",
            "m=audio 41004 RTP/AVP 18",
            "m=audio 0 RTP/AVP 0",
            "m=audio 41006 RTP/AVP 8",
            "m=audio 41008 RTP/AVP 8",
            "m=application 41010 UDP/BFCP *",
        ),
        LOCAL,
    )
    assert [line for line in lines_of(reply) if line.startswith("m=")] == [
        "m=video 0 RTP/AVP 96",
        "m=audio 0 RTP/SAVP 0",
        "m=audio 0 RTP/AVP 18",
        "m=audio 0 RTP/AVP 0",
        "m=audio 10000 RTP/AVP 8",
        "m=audio 0 RTP/AVP 8",
        "m=application 0 UDP/BFCP *",
    ]
    assert negotiated.remote == ("198.51.100.9", 41006)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["m=audio 40000 RTP/SAVP 0 8"], "wants RTP/SAVP"),
        (["m=audio 40000 RTP/AVPF 0 8"], "wants RTP/AVPF"),
        (["m=audio 40000 UDP/TLS/RTP/SAVPF 0"], "wants UDP/TLS/RTP/SAVPF"),
        (["m=audio 40000 RTP/AVP 18 9"], "no codec of ours"),
        (["m=audio 40000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"], "no codec of ours"),
        (["m=audio 0 RTP/AVP 0"], "port 0"),
        (["m=video 40000 RTP/AVP 96"], "no audio line"),
        ([], "no audio line"),
        (["m=audio 40000 RTP/AVP 0", "c=IN IP6 2001:db8::1"], "no IPv4 unicast address"),
        (["m=audio 40000 RTP/AVP 0", "c=IN IP4 phone.example"], "no IPv4 unicast address"),
        (["m=audio 40000 RTP/AVP 0", "c=IN IP4 224.2.1.1/127"], "no IPv4 unicast address"),
        (["m=audio 40000 RTP/AVP 0", "c=IN IP4 255.255.255.255"], "no IPv4 unicast address"),
    ],
)
def test_what_leaves_no_stream_is_refused_with_488(lines: list[str], reason: str) -> None:
    for reading in (lambda data: answer(data, LOCAL), lambda data: accept(data, LOCAL)):
        with pytest.raises(SdpUnacceptable) as caught:
            reading(sdp(*lines))
        assert (caught.value.status, caught.value.code) == (488, "sdp_unacceptable")
    with pytest.raises(SdpUnacceptable, match=reason):
        answer(sdp(*lines), LOCAL)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"hello",
        b"v=1\r\no=- 1 1 IN IP4 192.0.2.1\r\nm=audio 4 RTP/AVP 0\r\n",
        b"o=- 1 1 IN IP4 192.0.2.1\r\nv=0\r\nm=audio 4 RTP/AVP 0\r\n",
        b"v=0\r\no=- 1\r\nm=audio 4 RTP/AVP 0\r\n",
        sdp("m=audio 40000 RTP/AVP"),
        sdp("m=audio"),
        sdp("m=audio port RTP/AVP 0"),
        sdp("m=audio -1 RTP/AVP 0"),
        sdp("m=audio 65536 RTP/AVP 0"),
        sdp("m=audio 40000 RTP/AVP 0", "a=rtpmap:x PCMU/8000"),
        sdp("m=audio 40000 RTP/AVP 0", "a=rtpmap:0"[:-1] + " PCMU/8000"),
        sdp("m=audio 40000 RTP/AVP 0", "a=rtpmap:0 PCMU/fast"),
        sdp("m=audio 40000 RTP/AVP 0", *["a=x"] * 20_000),
    ],
)
def test_what_is_no_session_description_is_refused_with_400(data: bytes) -> None:
    for reading in (lambda data: answer(data, LOCAL), lambda data: accept(data, LOCAL), parse):
        with pytest.raises(SdpMalformed, match="not a session description") as caught:
            reading(data)
        assert (caught.value.status, caught.value.code) == (400, "sdp_malformed")


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-2],
        lambda data: data[:-1],
        lambda data: data.replace(b"\r\n", b"\n"),
        lambda data: data.replace(b"\r\n", b"\r"),
        lambda data: b"\r\n" + data,
        lambda data: data + b"\r\n\r\n",
        lambda data: data.replace(b"s=-\r\n", b"").replace(b"t=0 0\r\n", b""),
        lambda data: data.replace(b"t=0 0", b"t=now later\r\nr=7d 1h 0 25h"),
        lambda data: data.replace(b"t=0 0", b"b=AS:lots\r\nt=0 0\r\nk=prompt\r\ni=\xe6\xf8\xe5"),
        lambda data: data.replace(b"40000", b"40000/1"),
        lambda data: data.replace(b"m=audio 40000 ", b"m=audio  40000\t "),
        lambda data: data.replace(b"rtpmap:0 ", b"rtpmap: 0   "),
        lambda data: data.replace(b"0-16", b"zero to sixteen"),
        lambda data: data.replace(b"a=fmtp", b"not a line at all\r\na=fmtp"),
        lambda data: data.replace(b"PCMU", b"pcmu").replace(b"telephone-event", b"Telephone-Event"),
    ],
)
def test_odd_spellings_mean_the_same(change: Callable[[bytes], bytes]) -> None:
    plain = sdp(
        "m=audio 40000 RTP/AVP 0 101", "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16"
    )
    assert change(plain) != plain
    assert answer(change(plain), LOCAL) == answer(plain, LOCAL)


def test_a_unicode_line_end_ends_no_line() -> None:
    reply, _ = answer(sdp("m=audio 40000 RTP/AVP 0", "m=video 4 RTP/AVP 96\u2028a=sendonly\x0bm=audio"), LOCAL)
    assert [line for line in lines_of(reply) if line[0] == "m"] == [
        "m=audio 10000 RTP/AVP 0",
        "m=video 0 RTP/AVP 96 a=sendonly m=audio",
    ]


@pytest.mark.parametrize(
    ("attribute", "address"),
    [
        ("a=rtcp:53020", ("198.51.100.9", 53020)),
        ("a=rtcp:53020 IN IP4 203.0.113.5", ("203.0.113.5", 53020)),
        ("a=rtcp:53020 IN IP6 ::1", None),
        ("a=rtcp:0", None),
        ("a=rtcp:", None),
        ("a=rtcp-mux", None),
    ],
)
def test_rtcp_goes_where_the_peer_says(attribute: str, address: tuple[str, int] | None) -> None:
    assert settled("m=audio 40000 RTP/AVP 0", attribute).remote_rtcp == address


def test_the_caller_reads_the_answer_to_its_offer() -> None:
    negotiated = accept(sdp("m=audio 40000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000"), LOCAL)
    assert negotiated.codec is Codec.PCMU
    assert negotiated.telephone_event == 101
    assert negotiated.payload_types == {8: Codec.PCMA, 0: Codec.PCMU}, "early sound may be in any coding offered"
    assert settled("m=audio 40000 RTP/AVP 0", local=replace(LOCAL, latch=Latch.ANY)).latch is Latch.ANY


def test_an_answer_without_sound_first_is_refused() -> None:
    with pytest.raises(SdpUnacceptable, match="no audio line"):
        accept(sdp("m=video 40000 RTP/AVP 96", "m=audio 40000 RTP/AVP 0"), LOCAL)


def test_a_further_description_of_the_dialog_has_a_higher_version() -> None:
    held = LOCAL.revise(direction=Direction.SENDONLY)
    assert "o=- 77 2 IN IP4 192.0.2.1" in lines_of(offer(held))
    assert "a=sendonly" in lines_of(offer(held))
    resumed = held.revise(direction=Direction.SENDRECV).revise()
    reply, _ = answer(sdp("m=audio 40000 RTP/AVP 0"), resumed)
    assert "o=- 77 4 IN IP4 192.0.2.1" in lines_of(reply)
    assert parse(reply).session == "77"
    assert parse(reply).version == "4"


directions = st.sampled_from(list(Direction))
medias = st.builds(
    LocalMedia,
    address=st.ip_addresses(v=4, network="10.0.0.0/8").map(str),
    port=st.integers(1, 65535),
    session=st.integers(0, 2**63),
    version=st.integers(0, 2**31),
    codecs=st.permutations([Codec.PCMU, Codec.PCMA]).map(tuple) | st.just((Codec.PCMU,)),
    prefer=st.none() | st.sampled_from(list(Codec)),
    ptime_ms=st.sampled_from([10, 20, 30, 40, 50, 60]),
    direction=directions,
    telephone_event=st.none() | st.integers(96, 127),
)


@given(medias, medias)
def test_two_of_us_always_agree(caller: LocalMedia, called: LocalMedia) -> None:
    reply, theirs = answer(offer(caller), called)
    ours = accept(reply, caller)
    assert (ours.remote, theirs.remote) == ((called.address, called.port), (caller.address, caller.port))
    assert ours.codec is theirs.codec
    assert ours.ptime_ms == theirs.ptime_ms == caller.ptime_ms
    both_want_digits = caller.telephone_event is not None and called.telephone_event is not None
    assert ours.telephone_event == theirs.telephone_event == (caller.telephone_event if both_want_digits else None)
    assert ours.direction.sends == theirs.direction.receives == (caller.direction.sends and called.direction.receives)
    assert ours.direction.receives == theirs.direction.sends == (caller.direction.receives and called.direction.sends)


@given(st.binary(max_size=400))
def test_garbage_is_refused_and_never_raises_anything_else(data: bytes) -> None:
    fuzz_one(data)
    fuzz_one(sdp() + data)


line_starts = st.sampled_from(
    [
        "m=audio ",
        "m=video 9 ",
        "a=rtpmap:",
        "a=",
        "c=IN IP4 ",
        "c=",
        "o=",
        "a=ptime:",
        "a=rtcp:",
        "a=fmtp:",
        "t=",
        "v=",
        "",
    ]
)
line_ends = st.text(max_size=20) | st.sampled_from(
    [
        "40000 RTP/AVP 0 8 101",
        "0 RTP/AVP 0",
        "40000/2 RTP/AVP 96 96",
        "101 telephone-event/8000",
        "96 PCMU/8000",
        "0.0.0.0",
        "sendonly",
        "inactive",
        "13 PCMA/8000",
        "1e400",
        "0 telephone-event/8000",
        "RTP/AVP 0",
    ]
)


@given(st.lists(st.tuples(line_starts, line_ends).map("".join), max_size=14))
def test_nearly_right_descriptions_are_answered_or_refused(lines: list[str]) -> None:
    fuzz_one(sdp(*lines))


@needs.shared("samples", "siprec")
def test_descriptions_of_real_recording_clients_are_read() -> None:
    """What session border controllers really sent: every line is answered, the sound of sendonly only received."""
    answered, refused = 0, []
    for path in sorted(SAMPLES.glob("*/*.txt")):
        text = path.read_bytes().decode("utf-8", "replace")
        for found in re.findall(r"^v=0\r?\n(?:[a-z]=.*\r?\n?)+", text, re.MULTILINE):
            # Addresses and ports were taken out of some before they were published.
            found = re.sub(r"X\.X\.X\.X|\[\w*ip\]", "198.51.100.1", found)
            offered = re.sub(r"\[(auto_)?media_port[+\d]*\]", "40000", found).encode()
            session = parse(offered)
            assert len(session.streams) == len(re.findall("^m=", found, re.MULTILINE)), path.name
            try:
                reply, negotiated = answer(offered, LOCAL)
            except SdpUnacceptable:
                refused.append(path.name)
                continue
            assert [line.kind for line in parse(reply).streams] == [line.kind for line in session.streams]
            silent = any(line in found for line in ("a=sendonly", "a=inactive", "c=IN IP4 0.0.0.0"))
            assert negotiated.direction.sends is not silent, path.name
            answered += 1
    assert answered == 28
    assert refused == ["connectel-offer.txt"], "it has no c= line"
