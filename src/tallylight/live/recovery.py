"""At the start: what a crash left behind is ended, sealed and accounted for, before the first new call.

Every conversation that a dead process owned is taken over and marked interrupted; its records are sealed from the log's
files; records without a committed decision or key are destroyed and counted. Only then are the files deleted.
"""

import itertools
import logging
from collections.abc import Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select

from tallylight.capture.vad import Vad
from tallylight.catalogue.tables import conversation as conversations
from tallylight.catalogue.tables import party as parties
from tallylight.catalogue.tables import track as tracks
from tallylight.conversation.events import ConversationEnded
from tallylight.database.engine import read_only
from tallylight.database.writer import Transaction
from tallylight.health.alarms import AlarmKind
from tallylight.ids import ConversationId, EpochId, PartyId, TrackId
from tallylight.law.vocabulary import Purpose, Role
from tallylight.live.sealing import COMMIT_S, Sealer
from tallylight.vault.disk import Disk
from tallylight.vault.errors import VaultError
from tallylight.vault.frame import Frame, FrameKind, MediaType
from tallylight.vault.keys import Epoch
from tallylight.vault.recovery import EpochRecords, discard, read_found, recover
from tallylight.vault.tables import read_epochs, read_known_epochs

logger = logging.getLogger(__name__)

LOOKED_UP = 500
"""Tracks in one query."""
MOST_ORPHANS = 64
"""Objects without a key that a crash may have left; where there are more, database and objects do not belong together."""
SIDE_BY_SIDE = 8
"""Conversations finished at once: they wait for the disk more than they compute."""


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """What a start found and did."""

    interrupted: int
    """Conversations whose process was gone."""
    destroyed_records: int
    """Records without a committed decision or key."""
    whole: bool
    """False where something could not be sealed and stays for the next start."""


def finish_interrupted(folder: Path, sealer: Sealer, *, disk: Disk | None = None) -> Recovered:
    """Recover `folder` (the live log's) and every conversation that is still open. Blocks; no live log may be open yet.

    `sealer` reads what is found here, in one pass over the files, whatever it read from before.
    """

    def known(epochs: Set[EpochId]) -> Set[EpochId]:
        with read_only(sealer.engine) as connection:
            return read_known_epochs(connection, epochs, workspace=sealer.workspace).keys()

    _remove_orphans(sealer)
    found = recover(folder, known, disk)
    by_epoch = {records.epoch: records for records in found.committed}

    def read(epoch: Epoch) -> list[Frame]:
        records = by_epoch.get(epoch.id)
        return [] if records is None else list(read_found(records, epoch, disk=disk, on_damage=_say))

    sealer = replace(sealer, read=read)
    ends: dict[TrackId, int] = {}
    for records in found.committed:
        ends[records.track] = max(ends.get(records.track, 0), records.end_ms)
    lost = _never_decided(sealer, found.undecided)
    left = _left_behind(sealer)

    def finish(left_behind: tuple[ConversationId, str, bool]) -> bool:
        conversation, project, running = left_behind
        if running:
            # Before it is written: a start that is killed here tells it again, rather than never.
            sealer.alarms.raise_alarm(AlarmKind.CONVERSATION_INTERRUPTED, conversation=conversation)
        end_ms = _end_of(sealer, conversation, ends)
        ended = None
        if running:
            talked_ms = _talked_ms(sealer, conversation)
            ended = ConversationEnded(outcome="interrupted", talked_ms=talked_ms, offset_ms=end_ms)
        _take_over(sealer, conversation, ended)
        return sealer.seal_conversation(conversation, project, {}, end_ms)

    with ThreadPoolExecutor(max_workers=SIDE_BY_SIDE, thread_name_prefix="recovery") as pool:
        whole = all([*pool.map(finish, left)])
    destroyed = sum(records.records for records in lost)
    if destroyed:
        sealer.alarms.raise_alarm(
            AlarmKind.RECOVERY_DESTROYED,
            f"{destroyed} records of {len(lost)} epochs",
            missing_ms=sum(records.party_ms + records.ours_ms for records in lost),
        )
    if whole:
        discard(found.files, disk)
    return Recovered(interrupted=sum(1 for _, _, running in left if running), destroyed_records=destroyed, whole=whole)


def _remove_orphans(sealer: Sealer) -> None:
    """Remove the objects whose key was never committed, or is destroyed: nobody can ever read them.

    Nothing is being sealed yet, so an object without a key is none that waits for its commit.
    """
    orphans: list[str] = []
    paths = sealer.objects.list(sealer.workspace)
    while batch := list(itertools.islice(paths, LOOKED_UP)):
        epochs = {EpochId(path.rpartition("/")[2]): path for path in batch}
        with read_only(sealer.engine) as connection:
            known = read_known_epochs(connection, epochs.keys(), workspace=sealer.workspace)
        orphans += [path for epoch, path in epochs.items() if epoch not in known]
    if len(orphans) > MOST_ORPHANS:
        sealer.alarms.raise_alarm(AlarmKind.OBJECTS_UNKNOWN, f"{len(orphans)} objects")
        return
    for path in orphans:
        sealer.objects.delete(path)
    if orphans:
        logger.warning("%d objects without a key were removed", len(orphans))


def _never_decided(sealer: Sealer, undecided: Sequence[EpochRecords]) -> list[EpochRecords]:
    """Records whose track nobody ever committed. The others' keys were destroyed on purpose, with their sealing or
    erasure, and only the file they share with running calls kept them.
    """
    wanted = sorted({records.track for records in undecided})
    known: set[str] = set()
    with read_only(sealer.engine) as connection:
        for start in range(0, len(wanted), LOOKED_UP):
            query = select(tracks.c.track).where(
                tracks.c.workspace == sealer.workspace, tracks.c.track.in_(wanted[start : start + LOOKED_UP])
            )
            known.update(connection.execute(query).scalars())
    return [records for records in undecided if records.track not in known]


def _say(error: VaultError) -> None:
    logger.error("%s", error.message)


def _left_behind(sealer: Sealer) -> Sequence[tuple[ConversationId, str, bool]]:
    """Conversations that are still running by the book, or ended with tracks unsealed: (id, project, running)."""
    unsealed = (
        select(tracks.c.track)
        .where(
            tracks.c.workspace == conversations.c.workspace,
            tracks.c.conversation == conversations.c.conversation,
            tracks.c.state.in_(("open", "closed")),
        )
        .exists()
    )
    with read_only(sealer.engine) as connection:
        rows = connection.execute(
            select(conversations.c.conversation, conversations.c.project, conversations.c.state)
            .where(conversations.c.workspace == sealer.workspace, (conversations.c.state == "live") | unsealed)
            .order_by(conversations.c.conversation)
        ).all()
    return [(ConversationId(row.conversation), row.project, row.state == "live") for row in rows]


def _end_of(sealer: Sealer, conversation: ConversationId, ends: dict[TrackId, int]) -> int:
    """Media time of the last thing known of a conversation: its last record."""
    with read_only(sealer.engine) as connection:
        found = connection.execute(
            select(tracks.c.track).where(tracks.c.workspace == sealer.workspace, tracks.c.conversation == conversation)
        ).scalars()
        return max((ends.get(TrackId(track), 0) for track in found), default=0)


def _talked_ms(sealer: Sealer, conversation: ConversationId) -> dict[PartyId, int]:
    """Speech in what is stored of each person. What nobody recorded was counted in memory alone: no less than this."""
    talk = (
        select(tracks.c.track, tracks.c.party)
        .join(
            parties,
            (parties.c.workspace == tracks.c.workspace)
            & (parties.c.conversation == tracks.c.conversation)
            & (parties.c.party == tracks.c.party),
        )
        .where(
            tracks.c.workspace == sealer.workspace,
            tracks.c.conversation == conversation,
            tracks.c.purpose != Purpose.PROOF_OF_CONSENT.value,
            tracks.c.state == "open",
            parties.c.role != Role.SYSTEM.value,
        )
        .order_by(tracks.c.track)
    )
    with read_only(sealer.engine) as connection:
        found = [
            (PartyId(row.party), read_epochs(connection, TrackId(row.track), workspace=sealer.workspace))
            for row in connection.execute(talk)
        ]
    voices: dict[PartyId, Vad] = {}
    for party, epochs in found:
        voice = voices.setdefault(party, Vad())
        try:
            frames = [frame for row in epochs for frame in sealer.read(sealer.keyring.open_epoch(row))]
        except VaultError as error:
            _say(error)
            continue
        for frame in sorted(frames, key=lambda frame: frame.start_ms):
            if frame.kind is FrameKind.MEDIA and frame.media is not MediaType.NONE:
                voice.feed(int(frame.media), frame.payload)
        voice.flush()
    return {party: voice.speech_ms for party, voice in voices.items()}


def _take_over(sealer: Sealer, conversation: ConversationId, ended: ConversationEnded | None) -> None:
    def write(transaction: Transaction) -> None:
        sealer.chronicle.take_over(transaction, conversation)
        if ended is not None:
            sealer.chronicle.record(transaction, conversation, [ended], actor="engine")

    sealer.writer.submit(write, workspace=sealer.workspace).result(COMMIT_S)
