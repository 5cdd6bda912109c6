"""Erasing: live -> erasing -> erased, in short steps, each recorded in the ledger, each safe to repeat.

1. claim: what is to go is marked, and the erasure has a row of its own.
2. gates: running calls shut the gates concerned for good, and forget keys and what the open log holds.
3. keys: every data key, encrypted address and blind index is destroyed, and every standing yes with the keyed hash of
   whose it was; fragments of their bytes are noted for 5.
   What a law has kept stays, with who it is of (Art. 17(3)(b) GDPR), and goes as soon as that law lets it.
4. copies: objects are removed and looked for; the tracks become `erased`.
5. search: no file may hold what was stored. Then the certificate is written, and the notes go too.

Whatever stops it, a repeat goes on where it stopped, and also takes what has come since.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

import sqlalchemy as sa

from tallylight.catalogue.addresses import canonical_address, names_nobody
from tallylight.catalogue.copies import CopyHolder, CopyState, StoredTrack
from tallylight.catalogue.projections import Chronicle
from tallylight.clock import Clock
from tallylight.database.engine import read_only
from tallylight.database.events import JsonValue
from tallylight.database.writer import Transaction, Writer
from tallylight.errors import TallylightError
from tallylight.ids import ConversationId, PartyId, TrackId, WorkspaceId
from tallylight.retention.certificate import Signer, sign_certificate
from tallylight.retention.draft import Draft
from tallylight.retention.errors import NobodyError
from tallylight.retention.report import certificate_content
from tallylight.retention.scope import PersonScope, Scope
from tallylight.retention.search import Evidence, Findings
from tallylight.retention.steps import Standing, Steps
from tallylight.vault.keys import KeyRing

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Step(StrEnum):
    """What has just been done."""

    CLAIMED = "claimed"
    GATES_SHUT = "gates_shut"
    KEYS_DESTROYED = "keys_destroyed"
    COPIES_REMOVED = "copies_removed"
    CONFIRMED = "confirmed"
    SEARCHED = "searched"
    COMPLETED = "completed"


OnStep = Callable[[Step], None]
"""Told of each step as it is done, for whoever watches."""


class LiveErasure(Protocol):
    """Running conversations of this process, which must obey an erasure too."""

    def erase(self, parties: Sequence[tuple[ConversationId, PartyId]], tracks: Sequence[TrackId]) -> None:
        """Shut the gates of these parties and tracks for good, forget their keys, and let the open log drop them.

        Returns once that is done and everything written before has been handed to the writer; parties and tracks
        that are not running are passed over. Raises TallylightError or TimeoutError where it cannot be done now.
        """


class NothingLive:
    """No conversation runs in this process."""

    def erase(self, parties: Sequence[tuple[ConversationId, PartyId]], tracks: Sequence[TrackId]) -> None:
        """Nothing to obey."""


class OutcomeState(StrEnum):
    COMPLETE = "complete"
    PENDING = "pending"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an erasure ended."""

    erasure: str
    state: OutcomeState
    certificate: Mapping[str, JsonValue] | None
    """Signed; only where the state is complete."""
    remains: tuple[str, ...]
    """What is still there, in words; empty where the state is complete."""
    tracks: int
    """How many tracks it covers."""
    people: int
    """How many party rows it covers."""
    standing_yeses: int
    """How many consents in advance it ended."""

    @property
    def found(self) -> bool:
        """Whether anything was known of the person."""
        return bool(self.people or self.standing_yeses)

    def to_json(self) -> Mapping[str, JsonValue]:
        """What `tallylight erase --json` prints: the certificate, or what remains."""
        if self.certificate is not None:
            return self.certificate
        return {"erasure": self.erasure, "state": self.state.value, "remains": list(self.remains)}


class Eraser:
    """Erases persons and tracks. Methods block for seconds: never call them on the media loop."""

    def __init__(
        self,
        *,
        workspace: WorkspaceId,
        engine: sa.Engine,
        writer: Writer,
        keys: KeyRing,
        clock: Clock,
        holders: Sequence[CopyHolder],
        live: LiveErasure,
        evidence: Evidence,
        signer: Signer,
        on_step: OnStep | None = None,
    ) -> None:
        self._workspace = workspace
        self._engine = engine
        self._writer = writer
        self._keys = keys
        self._clock = clock
        self._holders = tuple(holders)
        self._live = live
        self._evidence = evidence
        self._signer = signer
        self._on_step = on_step
        self._one_at_a_time = threading.Lock()

    def erase_person(self, address: str, *, country: str, actor: str) -> Outcome:
        """Erase everything of the person behind any spelling of `address`; numbers are read as in `country`.

        Raises AddressError, NobodyError, and what the database raises; everything else ends in a pending outcome.
        """
        canonical = canonical_address(address, country=country)
        if names_nobody(canonical):
            raise NobodyError("A hidden caller's address is shared by many: erase by their number, or by deadline.")
        now_ms = self._clock.wall_ms()
        scope = PersonScope(workspace=self._workspace, keys=self._keys, address=canonical, typed=address, now_ms=now_ms)
        return self.erase(scope, actor=actor)

    def erase(self, scope: Scope, *, actor: str) -> Outcome:
        """Erase what `scope` finds."""
        with self._one_at_a_time:
            return self._erase(scope, actor)

    def _erase(self, scope: Scope, actor: str) -> Outcome:
        steps = Steps(
            workspace=self._workspace,
            keys=self._keys,
            chronicle=Chronicle(workspace=self._workspace, keys=self._keys, node=None),
            scope=scope,
            actor=actor,
        )
        standing = self._claim(steps)
        stuck: dict[TrackId, tuple[str, ...]] = {}
        while _unfinished(standing.draft, stuck):
            try:
                self._shut_gates(standing.draft)
            except (TallylightError, TimeoutError) as error:
                why = error.message if isinstance(error, TallylightError) else "they did not answer in time"
                logger.error("running calls did not confirm an erasure: %s", why)
                return _pending(standing, (f"running calls: {why}",))
            standing = self._shred(steps, standing)
            standing = self._remove_copies(steps, standing, stuck)
            standing = self._claim(steps)
        remains = tuple(
            f"{location} copy of track {track}" for track, locations in stuck.items() for location in locations
        )
        findings = self._search(steps, standing)
        remains = (*remains, *findings.remains)
        if remains:
            return _pending(standing, remains)
        return self._complete(steps, standing, findings)

    def _claim(self, steps: Steps) -> Standing:
        now_ms = self._clock.wall_ms()
        standing = self._commit(lambda transaction: steps.claim(transaction, now_ms))
        self._done(Step.CLAIMED)
        return standing

    def _shut_gates(self, draft: Draft) -> None:
        self._live.erase(
            [(party.conversation, party.party) for party in draft.parties.values() if not party.settled],
            [track.track for track in draft.tracks.values() if not track.confirmed],
        )
        self._done(Step.GATES_SHUT)

    def _shred(self, steps: Steps, standing: Standing) -> Standing:
        now_ms = self._clock.wall_ms()
        standing, forgotten = self._commit(lambda transaction: steps.shred(transaction, standing.erasure, now_ms))
        for epoch in forgotten:
            self._keys.forget(epoch)
        self._done(Step.KEYS_DESTROYED)
        return standing

    def _remove_copies(self, steps: Steps, standing: Standing, stuck: dict[TrackId, tuple[str, ...]]) -> Standing:
        open_tracks = [track for track in standing.draft.tracks.values() if track.shredded and not track.confirmed]
        stored = [StoredTrack(track=track.track, paths=track.paths) for track in open_tracks]
        states: dict[TrackId, dict[str, CopyState]] = {track.track: {} for track in stored}
        for holder in self._holders if stored else ():
            for track, state in holder.remove(stored).items():
                states[track][holder.location] = state
        self._done(Step.COPIES_REMOVED)
        gone: dict[TrackId, dict[str, str]] = {}
        for track, by_location in states.items():
            present = tuple(location for location, state in by_location.items() if state is CopyState.PRESENT)
            if present:
                stuck[track] = present
            else:
                gone[track] = {location: state.value for location, state in by_location.items()}
        if gone:
            now_ms = self._clock.wall_ms()
            erasure = standing.erasure
            standing = self._commit(lambda transaction: steps.confirm(transaction, erasure, gone, now_ms))
        self._done(Step.CONFIRMED)
        return standing

    def _search(self, steps: Steps, standing: Standing) -> Findings:
        with read_only(self._engine) as connection:
            needles = steps.searched(connection, standing)
        findings = self._evidence.search(needles)
        self._done(Step.SEARCHED)
        return findings

    def _complete(self, steps: Steps, standing: Standing, findings: Findings) -> Outcome:
        now_ms = self._clock.wall_ms()
        with read_only(self._engine) as connection:
            content = certificate_content(
                connection,
                workspace=self._workspace,
                kind=steps.scope.kind,
                actor=steps.actor,
                standing=standing,
                findings=findings,
                completed_ms=now_ms,
            )
        certificate = sign_certificate(content, self._signer, self._workspace)
        self._commit(lambda transaction: steps.complete(transaction, standing.erasure, certificate, now_ms))
        self._done(Step.COMPLETED)
        return Outcome(
            erasure=standing.erasure,
            state=OutcomeState.COMPLETE,
            certificate=certificate,
            remains=(),
            tracks=len(standing.draft.tracks),
            people=len(standing.draft.parties),
            standing_yeses=len(standing.draft.standing_yeses),
        )

    def _commit(self, unit: Callable[[Transaction], T]) -> T:
        return self._writer.submit(unit, workspace=self._workspace).result()

    def _done(self, step: Step) -> None:
        if self._on_step is not None:
            self._on_step(step)


def _unfinished(draft: Draft, stuck: Mapping[TrackId, tuple[str, ...]]) -> bool:
    return (
        any(not conversation.forgotten for conversation in draft.conversations.values())
        or any(not party.settled for party in draft.parties.values())
        or any(not standing.ended for standing in draft.standing_yeses.values())
        or any(not track.confirmed and track.track not in stuck for track in draft.tracks.values())
    )


def _pending(standing: Standing, remains: tuple[str, ...]) -> Outcome:
    return Outcome(
        erasure=standing.erasure,
        state=OutcomeState.PENDING,
        certificate=None,
        remains=remains,
        tracks=len(standing.draft.tracks),
        people=len(standing.draft.parties),
        standing_yeses=len(standing.draft.standing_yeses),
    )
