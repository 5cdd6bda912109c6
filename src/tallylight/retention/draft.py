"""What an erasure covers and how far it has come: kept beside it until its certificate is written."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass

from tallylight.ids import ConversationId, PartyId, TrackId
from tallylight.law.vocabulary import Purpose


@dataclass(frozen=True, kw_only=True)
class PartyInScope:
    conversation: ConversationId
    party: PartyId
    emptied: bool = False
    """Its encrypted address and blind index are gone."""
    kept: bool = False
    """They stay: a law has a track of it kept, which nobody could attribute without them."""

    @property
    def settled(self) -> bool:
        """Nothing is left to do about who it was."""
        return self.emptied or self.kept


@dataclass(frozen=True, kw_only=True)
class TrackInScope:
    track: TrackId
    conversation: ConversationId
    party: PartyId
    purpose: Purpose
    paths: tuple[str, ...] = ()
    """Where its sealed objects lie or lay."""
    keys_destroyed: int = 0
    shredded: bool = False
    """No key of it is left."""
    copies: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """What became of each copy, by location: `gone` or `unreadable`."""
    confirmed: bool = False
    """Every copy has been confirmed and the track is erased."""


@dataclass(frozen=True, kw_only=True)
class KeptTrack:
    """What an erasure leaves: a proof of consent on its ground, or whatever a law has kept (Art. 17(3) GDPR)."""

    track: TrackId
    conversation: ConversationId
    party: PartyId
    purpose: Purpose = Purpose.PROOF_OF_CONSENT
    ground: str | None
    """Why a proof is kept. None: for a duty that the conversation's decisions name."""
    deadline_ms: int
    """Until when."""
    by_law: bool = False
    """A law has it kept, and with it who it is of."""


@dataclass(frozen=True, kw_only=True)
class ConversationInScope:
    """A conversation of which nobody may be able to tell any more who took part."""

    conversation: ConversationId
    forgotten: bool = False
    """No address, and no act of a person, is left."""


@dataclass(frozen=True, kw_only=True)
class StandingYesInScope:
    """A consent in advance that no call may rest on any more."""

    standing_yes: str
    ended: bool = False
    """Its row, and with it the keyed hash of whose it was, is gone."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The whole of one erasure, by id."""

    project: str | None = None
    """Whose key the needles are encrypted with."""
    conversations: Mapping[ConversationId, ConversationInScope] = dataclasses.field(default_factory=dict)
    parties: Mapping[PartyId, PartyInScope] = dataclasses.field(default_factory=dict)
    tracks: Mapping[TrackId, TrackInScope] = dataclasses.field(default_factory=dict)
    kept: Mapping[TrackId, KeptTrack] = dataclasses.field(default_factory=dict)
    standing_yeses: Mapping[str, StandingYesInScope] = dataclasses.field(default_factory=dict)
    leaves: tuple[tuple[str, int], ...] = ()
    """Steps already in the ledger: (event type, leaf number)."""

    def with_conversation(self, conversation: ConversationInScope) -> "Draft":
        conversations = {**self.conversations, conversation.conversation: conversation}
        return dataclasses.replace(self, conversations=conversations)

    def with_track(self, track: TrackInScope) -> "Draft":
        return dataclasses.replace(self, tracks={**self.tracks, track.track: track})

    def with_party(self, party: PartyInScope) -> "Draft":
        return dataclasses.replace(self, parties={**self.parties, party.party: party})

    def with_standing_yes(self, standing: StandingYesInScope) -> "Draft":
        yeses = {**self.standing_yeses, standing.standing_yes: standing}
        return dataclasses.replace(self, standing_yeses=yeses)

    def keeping(self, kept: Mapping[TrackId, KeptTrack]) -> "Draft":
        return dataclasses.replace(self, kept=kept)

    def kept_of(self, party: PartyId) -> tuple[KeptTrack, ...]:
        """What stays of this party."""
        return tuple(kept for kept in self.kept.values() if kept.party == party)

    def with_leaf(self, step: str, leaf: int) -> "Draft":
        return dataclasses.replace(self, leaves=(*self.leaves, (step, leaf)))


def serialise(draft: Draft) -> str:
    """As JSON text."""
    return json.dumps(
        {
            "project": draft.project,
            "conversations": [dataclasses.asdict(conversation) for conversation in draft.conversations.values()],
            "parties": [dataclasses.asdict(party) for party in draft.parties.values()],
            "tracks": [dataclasses.asdict(track) for track in draft.tracks.values()],
            "kept": [dataclasses.asdict(kept) for kept in draft.kept.values()],
            "standing_yeses": [dataclasses.asdict(standing) for standing in draft.standing_yeses.values()],
            "leaves": draft.leaves,
        },
        separators=(",", ":"),
    )


def parse(text: str) -> Draft:
    """The draft that `serialise` wrote."""
    content = json.loads(text)
    tracks = [
        TrackInScope(**{**track, "purpose": Purpose(track["purpose"]), "paths": tuple(track["paths"])})
        for track in content["tracks"]
    ]
    kept_tracks = [
        KeptTrack(**{**kept, "purpose": Purpose(kept.get("purpose", Purpose.PROOF_OF_CONSENT))})
        for kept in content["kept"]
    ]
    return Draft(
        project=content["project"],
        conversations={
            ConversationId(conversation["conversation"]): ConversationInScope(**conversation)
            for conversation in content["conversations"]
        },
        parties={PartyId(party["party"]): PartyInScope(**party) for party in content["parties"]},
        tracks={track.track: track for track in tracks},
        kept={kept.track: kept for kept in kept_tracks},
        standing_yeses={
            standing["standing_yes"]: StandingYesInScope(**standing) for standing in content.get("standing_yeses", ())
        },
        leaves=tuple((step, leaf) for step, leaf in content["leaves"]),
    )
