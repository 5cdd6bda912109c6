"""A process that writes the live log until it is killed. Run as a program: FOLDER MASTER_HEX TRACKS.

First line of its output: the keys' rows as JSON; then `track-number acknowledged-ms` whenever one grows.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from tallylight.vault.alarm import Alarm
from tallylight.vault.keys import KeyRing, MemoryKeyWrapper
from tallylight.vault.live_log import Limits, LiveLog
from tests.vault.making import PROJECT, epoch, fresh, media

PACKET_MS = 20


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(folder: Path, master: bytes, count: int) -> None:
    keys = KeyRing(MemoryKeyWrapper(master))
    project = keys.new_project_key(PROJECT, fresh())
    epochs = [epoch(keys) for _ in range(count)]
    rows = [{**asdict(made.row), "wrapped": made.row.wrapped.hex(), "kind": int(made.kind)} for made in epochs]
    _tell(json.dumps({"project": {**asdict(project), "wrapped": project.wrapped.hex()}, "epochs": rows}))
    alarms: list[Alarm] = []
    log = LiveLog(folder, on_alarm=alarms.append, limits=Limits(fsync_s=0.005, gather_s=0.001, rotate_bytes=200_000))
    told = [0] * count
    at_ms = 0
    while not alarms:
        for made in epochs:
            log.write(made, [media(at_ms, PACKET_MS, fill=at_ms // PACKET_MS % 256)])
        at_ms += PACKET_MS
        while log.waiting_bytes > 100_000:
            log.sync()
        for number, made in enumerate(epochs):
            acknowledged = log.acknowledged(made.track)
            if acknowledged != told[number]:
                told[number] = acknowledged
                _tell(f"{number} {acknowledged}")
    raise SystemExit(f"unexpected alarm: {alarms}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), bytes.fromhex(sys.argv[2]), int(sys.argv[3]))
