"""Voice as packets: G.711 over RTP (RFC 3550, RFC 3551), digits (RFC 4733), reports (RTCP), the relay between legs.

Start with `negotiated` (what a leg is told), `leg` (one party's voice, in and out), `engine` (ports, and the one tick
that drains them all). `packet`, `rtcp`, `digits`, `g711` and `tones` are pure. May import capture, clock and errors.
"""
