"""What the running server knows of its calls and the database does not yet."""

from collections.abc import Mapping
from typing import cast

from tallylight.app.store import Store
from tallylight.catalogue.queries import RunningFigures
from tallylight.catalogue.running import LogFigures
from tallylight.errors import TallylightError
from tallylight.ids import PartyId, TrackId
from tallylight.live.control import request

STATUS_S = 2.0


class ServerFigures:
    """Figures the server has just told; for what it did not tell, those of the log's files."""

    def __init__(
        self, talked_ms: Mapping[PartyId, int], stored_ms: Mapping[TrackId, int], rest: RunningFigures
    ) -> None:
        self._talked_ms = talked_ms
        self._stored_ms = stored_ms
        self._rest = rest

    def stored_ms(self, track: TrackId) -> int:
        found = self._stored_ms.get(track)
        return self._rest.stored_ms(track) if found is None else found

    def talked_ms(self, party: PartyId) -> int:
        found = self._talked_ms.get(party)
        return self._rest.talked_ms(party) if found is None else found


def running_figures(store: Store) -> RunningFigures:
    """Ask the server, briefly; where none runs or answers, look into the log's files."""
    figures = LogFigures(store.live_folder)
    try:
        calls = cast("list[dict[str, object]]", request(store.directory, "status", timeout_s=STATUS_S))
    except (TallylightError, OSError):
        return figures
    talked: dict[PartyId, int] = {}
    stored: dict[TrackId, int] = {}
    for call in calls:
        for party in cast("list[dict[str, object]]", call["parties"]):
            talked[PartyId(str(party["party"]))] = int(cast("int", party["talked_ms"]))
        for track, stored_ms in cast("dict[str, int]", call["durable_ms"]).items():
            stored[TrackId(track)] = stored_ms
    return ServerFigures(talked, stored, figures)
