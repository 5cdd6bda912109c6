"""What a certificate says. It names conversations, parties and tracks by their ids, never a person."""

from collections.abc import Mapping

import sqlalchemy as sa

from tallylight.catalogue.duties import duties_to_keep
from tallylight.catalogue.tables import party as parties
from tallylight.catalogue.tables import track as tracks
from tallylight.database.events import JsonValue
from tallylight.ids import ConversationId, WorkspaceId
from tallylight.law.iso8601 import iso_utc
from tallylight.retention.search import Findings
from tallylight.retention.steps import Standing


def certificate_content(
    connection: sa.Connection,
    *,
    workspace: WorkspaceId,
    kind: str,
    actor: str,
    standing: Standing,
    findings: Findings,
    completed_ms: int,
) -> Mapping[str, JsonValue]:
    """The certificate, unsigned."""
    draft = standing.draft
    by_law = dict.fromkeys(kept.conversation for kept in draft.kept.values() if kept.ground is None)
    grounds = {conversation: _duties(connection, workspace, conversation) for conversation in by_law}
    return {
        "certificate": 1,
        "erasure": standing.erasure,
        "workspace": workspace,
        "kind": kind,
        "state": "complete",
        "actor": actor,
        "requested": iso_utc(standing.requested_ms),
        "completed": iso_utc(completed_ms),
        "conversations": list(draft.conversations),
        "identities": [
            {"conversation": party.conversation, "party": party.party}
            for party in draft.parties.values()
            if party.emptied
        ],
        "tracks": [
            {
                "track": track.track,
                "conversation": track.conversation,
                "party": track.party,
                "purpose": track.purpose.value,
                "keys_destroyed": track.keys_destroyed,
                "copies": dict(track.copies),
            }
            for track in draft.tracks.values()
        ],
        "kept": [
            {
                "track": kept.track,
                "conversation": kept.conversation,
                "party": kept.party,
                "purpose": kept.purpose.value,
                "ground": kept.ground or grounds[kept.conversation],
                "until": iso_utc(kept.deadline_ms),
                "identity": "kept" if kept.by_law else "erased",
            }
            for kept in draft.kept.values()
        ],
        "standing_yeses": list(draft.standing_yeses),
        "stays": _stays(connection, workspace, standing),
        "ledger": [{"step": step, "leaf": leaf} for step, leaf in draft.leaves],
        "method": [
            "data keys destroyed (AES-256-GCM, a key of its own for each track)",
            "ledger commitments stay; emptied payloads cannot be recomputed from them",
            *findings.method,
            "nothing found",
        ],
    }


def _duties(connection: sa.Connection, workspace: WorkspaceId, conversation: ConversationId) -> str:
    """What has recordings of a conversation kept."""
    cites = duties_to_keep(connection, workspace=workspace, conversation=conversation)
    return f"Art. 17(3)(b) GDPR: {'; '.join(cites) or 'a duty to keep it'}"


def _stays(connection: sa.Connection, workspace: WorkspaceId, standing: Standing) -> list[JsonValue]:
    """The tracks of everybody else in the same conversations: theirs, not the person's."""
    draft = standing.draft
    wanted = sorted({party.conversation for party in draft.parties.values()})
    stays: list[JsonValue] = []
    for start in range(0, len(wanted), 500):
        found = connection.execute(
            sa.select(tracks.c.track, tracks.c.conversation, tracks.c.party, tracks.c.purpose, parties.c.role)
            .join(
                parties,
                sa.and_(
                    parties.c.workspace == tracks.c.workspace,
                    parties.c.conversation == tracks.c.conversation,
                    parties.c.party == tracks.c.party,
                ),
            )
            .where(
                tracks.c.workspace == workspace,
                tracks.c.conversation.in_(wanted[start : start + 500]),
                tracks.c.state.not_in(("erasing", "erased")),
            )
            .order_by(tracks.c.track)
        )
        stays += [
            {
                "track": row.track,
                "conversation": row.conversation,
                "party": row.party,
                "role": row.role,
                "purpose": row.purpose,
            }
            for row in found
            if row.party not in draft.parties
        ]
    return stays
