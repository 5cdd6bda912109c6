"""Where a track's bytes are, and that they are gone: every store of them is a CopyHolder."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from tallylight.catalogue.projections import LIVE_LOG, OBJECTS
from tallylight.ids import TrackId
from tallylight.vault.errors import ObjectError
from tallylight.vault.objects import ObjectStore
from tallylight.vault.recovery import scan

logger = logging.getLogger(__name__)


class CopyState(StrEnum):
    """What became of a copy after its removal."""

    GONE = "gone"
    UNREADABLE = "unreadable"
    """Its key is destroyed; the encrypted records leave with the log file that other tracks still need."""
    PRESENT = "present"


@dataclass(frozen=True, kw_only=True)
class StoredTrack:
    """A track whose keys are destroyed, and every path its objects were stored under."""

    track: TrackId
    paths: tuple[str, ...]


class CopyHolder(Protocol):
    """A store that may hold copies of tracks."""

    @property
    def location(self) -> str:
        """The store's name in the `copy` table and on certificates."""

    def remove(self, tracks: Sequence[StoredTrack]) -> Mapping[TrackId, CopyState]:
        """Remove what is held of these tracks and look whether it is gone. Safe to repeat."""


class ObjectCopies:
    """Sealed objects."""

    location = OBJECTS

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def remove(self, tracks: Sequence[StoredTrack]) -> Mapping[TrackId, CopyState]:
        return {track.track: self._remove(track.paths) for track in tracks}

    def _remove(self, paths: Sequence[str]) -> CopyState:
        state = CopyState.GONE
        for path in paths:
            try:
                self._objects.delete(path)
                if self._objects.exists(path):
                    state = CopyState.PRESENT
            except ObjectError as error:
                logger.error("an object could not be removed: %s", error.message)
                state = CopyState.PRESENT
        return state


class LiveLogCopies:
    """Records in the live log's files. The log's owner releases them; here is only looked."""

    location = LIVE_LOG

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def remove(self, tracks: Sequence[StoredTrack]) -> Mapping[TrackId, CopyState]:
        held = {epoch.track for epoch in scan(self._folder).epochs.values()} if self._folder.is_dir() else set()
        return {track.track: CopyState.UNREADABLE if track.track in held else CopyState.GONE for track in tracks}
