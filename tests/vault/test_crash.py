"""kill -9 of a process that writes: every record it acknowledged is there after, and what is there is an exact prefix."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tallylight.ids import EpochId, TrackId, WorkspaceId
from tallylight.vault.keys import EpochKind, EpochRow, KeyRing, MemoryKeyWrapper, ProjectKeyRow
from tallylight.vault.recovery import read_found, recover, scan
from tests.vault import writing_child

TRACKS = 20
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("loop", range(5))
def test_a_kill_loses_nothing_acknowledged(tmp_path: Path, loop: int) -> None:
    master = os.urandom(32)
    command = [sys.executable, "-m", writing_child.__name__, str(tmp_path), master.hex(), str(TRACKS)]
    acknowledged = [0] * TRACKS
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout is not None
        rows = json.loads(child.stdout.readline())
        lines = random.Random(loop).randrange(1, 400)
        for number, line in enumerate(child.stdout):
            track, ms = line.split()
            acknowledged[int(track)] = int(ms)
            if number == lines:
                child.kill()
        assert child.wait(10) == -signal.SIGKILL
    keys = KeyRing(MemoryKeyWrapper(master))
    keys.load_project_key(ProjectKeyRow(**{**rows["project"], "wrapped": bytes.fromhex(rows["project"]["wrapped"])}))
    recovery = recover(tmp_path, set)
    assert [file.damaged_bytes for file in recovery.files if file.damaged_bytes] == []
    assert [file for file in scan(tmp_path).files if file.torn_bytes] == []
    assert sum(acknowledged) > 0
    found = {records.epoch: records for records in recovery.committed}
    for number, raw in enumerate(rows["epochs"]):
        row = _row(raw)
        records = found.get(row.epoch)
        stored_ms = records.party_ms if records is not None else 0
        assert stored_ms >= acknowledged[number]
        frames = list(read_found(records, keys.open_epoch(row))) if records is not None else []
        packet = writing_child.PACKET_MS
        assert [frame.start_ms for frame in frames] == list(range(0, stored_ms, packet))
        assert all(set(frame.payload) == {frame.start_ms // packet % 256} for frame in frames)


def _row(raw: dict[str, Any]) -> EpochRow:
    return EpochRow(
        workspace=WorkspaceId(raw["workspace"]),
        epoch=EpochId(raw["epoch"]),
        track=TrackId(raw["track"]),
        project_key=raw["project_key"],
        kind=EpochKind(raw["kind"]),
        wrapped=bytes.fromhex(raw["wrapped"]),
    )
