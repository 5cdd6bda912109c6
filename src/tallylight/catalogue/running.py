"""Figures of running conversations for a process that does not run them: what the live log's files show."""

from functools import cached_property
from pathlib import Path

from tallylight.ids import PartyId, TrackId
from tallylight.vault.recovery import scan


class LogFigures:
    """Durable media of open tracks, from one look at the record headers. Speech is known to the owner alone: 0.

    A track is somebody's voice or our own announcement. Where both are on it (the proof of consent), theirs counts.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _stored(self) -> dict[TrackId, int]:
        party: dict[TrackId, int] = {}
        ours: dict[TrackId, int] = {}
        if self._folder.is_dir():
            for epoch in scan(self._folder).epochs.values():
                party[epoch.track] = party.get(epoch.track, 0) + epoch.party_ms
                ours[epoch.track] = ours.get(epoch.track, 0) + epoch.ours_ms
        return {track: party[track] or ours[track] for track in party}

    def stored_ms(self, track: TrackId) -> int:
        return self._stored.get(track, 0)

    def talked_ms(self, party: PartyId) -> int:
        return 0
