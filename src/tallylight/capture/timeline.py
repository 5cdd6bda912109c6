"""Where on the conversation's one clock each packet of a leg belongs, by its RTP timestamp (RFC 3550 section 5.1).

The first packet's arrival anchors the stream; every later one lies where its timestamp says, so jitter, loss, silence
and late arrival move nothing. A stream is anchored anew when its source (SSRC) changes or its timestamps jump. The
sender's clock is never exactly ours: the least delay seen in each stretch of the stream tells by how much, and the
placing follows in steps of 1 ms, at most one in 250 ms, so that after hours every leg still lies on the same clock. Only
the delay of the anchoring packet itself is taken back at once, after the first 100 ms.

Pure. Positions are samples at 8 kHz (8 a millisecond), media times integer ms since the conversation's start.
"""

RATE = 8
"""Samples in a millisecond."""

BOUND_MS = 500
"""Arrival and timestamp may disagree by this much before the timestamp is doubted."""

LATE_MS = 10_000
"""Later than this is not delay but a jump of the timestamps."""

PERSISTENT_MS = 200
"""A stream that stays late this long, without catching up, has stopped its clock for a while: anchored anew."""

SETTLED_MS = 100
"""A stream after a jump keeps its own pace this long before the jump is believed."""

AGREE_MS = 250
"""How well two packets after a jump must agree with their arrivals to be of one stream."""

DEAD_MS = 2
"""Disagreement below the resolution of a 10 ms tick's arrivals is left alone."""

COARSE_MS = 10
"""Beyond this the placing is corrected as fast as allowed."""

AHEAD_MS = 100
"""A new anchor may wait for media already placed to end, but at most this long."""

FIRST_REVIEW = 100 * RATE
"""A new anchor's own delay is known by then, and taken back in one step: a first packet that a busy machine kept waiting
would otherwise misplace the whole beginning."""

STALL_MS = 60
"""The most that is taken back at once; a longer wait is a burst, not a busy machine, and is corrected slowly."""

FINE_REVIEW = 2_000 * RATE
COARSE_REVIEW = 250 * RATE
NO_FLOOR = -(1 << 62)
_MASK = 0xFFFFFFFF
_HALF = 0x80000000
_FAR = 1 << 40


class Timeline:
    """One leg's packets on the conversation's clock. Not for several threads."""

    __slots__ = (
        "_jump",
        "_late_mark",
        "_late_ms",
        "_late_since",
        "_least",
        "_paused",
        "_position",
        "_review_at",
        "_slew",
        "_slew_at",
        "_ssrc",
        "_timestamp",
        "_young",
        "anchors",
        "slewed_ms",
    )

    def __init__(self) -> None:
        self._ssrc = -1
        self._paused = -1
        self._timestamp = 0
        self._position = 0
        self._least = _FAR
        self._review_at = 0
        self._slew_at = NO_FLOOR
        self._slew = 0
        self._late_since = 0
        self._late_ms = 0
        self._late_mark = -1
        self._jump: tuple[int, int, int, int] | None = None
        self._young = True
        self.anchors = 0
        """How often the stream was anchored."""
        self.slewed_ms = 0
        """Correction of the sender's clock so far; positive where it is slow."""

    def place(self, timestamp: int, arrival_ms: int, ssrc: int, floor_ms: int = NO_FLOOR) -> int:
        """The media time at which the packet's sound starts.

        `arrival_ms` is the media time of its arrival. Media before `floor_ms` is taken: a new anchor is put behind it.
        Within one anchoring, times follow timestamps exactly but for the corrections of the sender's clock.
        """
        if ssrc == self._ssrc:
            step = (timestamp - self._timestamp) & _MASK
            if step < _HALF:
                position = self._position + step
                start = position >> 3
                late = arrival_ms - start
                if -BOUND_MS <= late <= BOUND_MS:
                    self._timestamp = timestamp
                    self._position = position
                    if late < self._least:
                        self._least = late
                    if position >= self._review_at:
                        self._review()
                    return start
        return self._doubt(timestamp, arrival_ms, ssrc, floor_ms)

    def locate(self, timestamp: int, arrival_ms: int, ssrc: int) -> int:
        """The media time of a timestamp, learning nothing from it: for digits, whose timestamps stand still."""
        if ssrc == self._ssrc or (self._ssrc < 0 and ssrc == self._paused):
            start = self._along(timestamp) >> 3
            if -BOUND_MS <= arrival_ms - start <= LATE_MS:
                return start
        return arrival_ms

    def pause(self) -> None:
        """The stream may stop its clock now (hold, re-negotiation): its next packet is believed only if in time."""
        if self._ssrc >= 0:
            self._paused, self._ssrc = self._ssrc, -1

    def _along(self, timestamp: int) -> int:
        step = (timestamp - self._timestamp) & _MASK
        if step >= _HALF:
            step -= 1 << 32
        position = self._position + step
        return position - self._slew if step < 0 and position - self._slew <= self._slew_at else position

    def _doubt(self, timestamp: int, arrival_ms: int, ssrc: int, floor_ms: int) -> int:
        if self._ssrc < 0 and ssrc == self._paused:
            if abs(arrival_ms - (self._along(timestamp) >> 3)) <= AHEAD_MS:
                self._ssrc, self._paused = ssrc, -1
                return self.place(timestamp, arrival_ms, ssrc, floor_ms)
            return self._anchor(timestamp, arrival_ms, ssrc, floor_ms)
        if ssrc != self._ssrc:
            return self._anchor(timestamp, arrival_ms, ssrc, floor_ms)
        position = self._along(timestamp)
        start = position >> 3
        late = arrival_ms - start
        if late < -BOUND_MS or late > LATE_MS:
            return self._jumped(timestamp, arrival_ms, floor_ms)
        if late <= BOUND_MS:
            return start
        if self._late_mark != self._timestamp or late < self._late_ms - AHEAD_MS:
            self._late_since, self._late_ms = arrival_ms, late
        elif arrival_ms - self._late_since >= PERSISTENT_MS:
            return self._anchor(timestamp, arrival_ms, ssrc, floor_ms)
        if position > self._position:
            self._timestamp, self._position = timestamp, position
        self._late_mark = self._timestamp
        return start

    def _jumped(self, timestamp: int, arrival_ms: int, floor_ms: int) -> int:
        jump = self._jump
        if jump is not None and jump[3] == self._timestamp:
            step = (timestamp - jump[0]) & _MASK
            if step >= _HALF:
                step -= 1 << 32
            start = jump[2] + (step >> 3)
            if abs((step >> 3) - (arrival_ms - jump[1])) <= AGREE_MS:
                if arrival_ms - jump[1] >= SETTLED_MS:
                    self._settle(timestamp, start * RATE)
                return start
        start = min(max(arrival_ms, floor_ms), arrival_ms + AHEAD_MS)
        self._jump = (timestamp, arrival_ms, start, self._timestamp)
        return start

    def _anchor(self, timestamp: int, arrival_ms: int, ssrc: int, floor_ms: int) -> int:
        start = min(max(arrival_ms, floor_ms), arrival_ms + AHEAD_MS)
        self._ssrc = ssrc
        self._paused = -1
        self._settle(timestamp, start * RATE)
        return start

    def _settle(self, timestamp: int, position: int) -> None:
        self._timestamp = timestamp
        self._position = position
        self._least = _FAR
        self._review_at = position + FIRST_REVIEW
        self._young = True
        self._slew_at = NO_FLOOR
        self._late_mark = -1
        self._jump = None
        self.anchors += 1

    def _review(self) -> None:
        """Towards the least delay of the stretch that ends here: one step, or all the way for an anchor that came late.

        Takes effect with the next packet."""
        error, self._least = self._least, _FAR
        young, self._young = self._young, False
        if young:
            move = error * RATE if -STALL_MS <= error < -DEAD_MS else 0
        else:
            move = RATE if error > DEAD_MS else -RATE if error < -DEAD_MS else 0
        if move:
            self._slew_at = self._position
            self._slew = move
            self._position += move
            self.slewed_ms += move // RATE
        self._review_at = self._position + (COARSE_REVIEW if young or abs(error) > COARSE_MS else FINE_REVIEW)
