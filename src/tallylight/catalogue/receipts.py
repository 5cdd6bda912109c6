"""What a consent receipt is made from: one person's notices and acts, out of the stored events."""

from collections.abc import Sequence

import sqlalchemy as sa

from tallylight.catalogue.errors import NoReceiptError
from tallylight.catalogue.history import read_history
from tallylight.catalogue.playback import find_party
from tallylight.catalogue.queries import PartyEntry, read_conversation
from tallylight.catalogue.versions import read_settings
from tallylight.consent.notices import recall
from tallylight.consent.receipts.facts import Act, Deed, Facts, Heard
from tallylight.consent.standing_yes import StandingYes
from tallylight.conversation.events import (
    ConsentGiven,
    ConsentRefused,
    ConsentRequested,
    ConsentUnanswered,
    ConsentWithdrawn,
    Event,
    NoticeGiven,
    PartyJoined,
    QuestionHeard,
)
from tallylight.ids import ConversationId, WorkspaceId
from tallylight.law.vocabulary import Method, Purpose
from tallylight.policy.settings import Settings
from tallylight.vault.keys import KeyRing

ConsentAct = ConsentRequested | ConsentGiven | ConsentRefused | ConsentUnanswered | ConsentWithdrawn

DEEDS: dict[type[ConsentAct], Deed] = {
    ConsentRequested: Deed.REQUESTED,
    ConsentGiven: Deed.GIVEN,
    ConsentRefused: Deed.REFUSED,
    ConsentUnanswered: Deed.UNANSWERED,
    ConsentWithdrawn: Deed.WITHDRAWN,
}


def receipt_facts(
    connection: sa.Connection,
    *,
    workspace: WorkspaceId,
    keys: KeyRing,
    conversation: ConversationId,
    who: str,
    withdraw_code: str,
    issued_ms: int,
) -> tuple[Facts, int]:
    """What `who` (a party id, or a role that only one party has) was told and answered, and their place among the people.

    Raises ConversationUnknownError, PartyUnknownError, and NoReceiptError where nobody asked them or their acts are
    erased.
    """
    entry = read_conversation(connection, workspace=workspace, keys=keys, conversation=conversation)
    party = find_party(entry, who)
    events = read_history(connection, workspace, conversation).events
    joined = next((event for event in events if isinstance(event, PartyJoined) and event.party == party.party), None)
    acts = _acts(events, party, entry.started_ms)
    answered = party.consent == "none" or any(act.deed.value == party.consent for act in acts)
    if joined is None or not acts or not answered:
        raise _nothing(party)
    settings = read_settings(connection, workspace, entry.settings)
    purposes = {purpose for event in events if _is_of(event, party) for purpose in _purposes(event)}
    places = (settings.country, *(place.code for place in joined.places if place.code is not None))
    facts = Facts(
        conversation=conversation,
        party=party.party,
        role=party.role,
        controller=settings.controller,
        country=settings.country,
        policy_address=settings.policy_address,
        jurisdictions=tuple(dict.fromkeys(places)),
        basis=joined.basis,
        purposes=tuple(sorted(purposes)),
        own_purpose=settings.own_purpose,
        retention_months=settings.retention_months,
        withdraw_code=withdraw_code,
        heard=_heard(events, party, entry.started_ms, settings),
        acts=acts,
        issued_ms=issued_ms,
    )
    return facts, [each.party for each in entry.people].index(party.party)


def _heard(events: Sequence[Event], party: PartyEntry, started_ms: int, settings: Settings) -> tuple[Heard, ...]:
    """What the person was told, and what they were asked where its wording still stands."""
    heard: list[Heard] = []
    asked: ConsentRequested | None = None
    for event in events:
        if isinstance(event, NoticeGiven) and event.party == party.party:
            text, sha256, language = event.text, event.notice, event.language
        elif isinstance(event, ConsentGiven) and event.party == party.party and event.standing is not None:
            heard.append(_agreed_to(event.standing))
            continue
        elif isinstance(event, ConsentRequested) and event.party == party.party:
            asked = event
            continue
        elif isinstance(event, QuestionHeard) and event.party == party.party and asked is not None:
            question = _words(asked, settings)
            if question is None:
                continue
            text, language = question
            sha256 = asked.notice
        else:
            continue
        heard.append(Heard(text=text, sha256=sha256, language=language, at_ms=started_ms + event.offset_ms))
    return tuple(heard)


def _agreed_to(standing: StandingYes) -> Heard:
    return Heard(text=standing.text, sha256=standing.notice, language=standing.language, at_ms=standing.given_ms)


def _words(asked: ConsentRequested, settings: Settings) -> tuple[str, str] | None:
    """The exact text and its language; None where only its hash was kept and the wording has changed since."""
    if asked.text is not None and asked.language is not None:
        return asked.text, asked.language
    known = recall(asked.notice, *settings.notices)
    return None if known is None else (known.text, known.language)


def _is_of(event: Event, party: PartyEntry) -> bool:
    return isinstance(event, ConsentAct) and event.party == party.party


def _purposes(event: Event) -> frozenset[Purpose]:
    return event.purposes if isinstance(event, ConsentRequested | ConsentGiven) else frozenset()


def _acts(events: Sequence[Event], party: PartyEntry, started_ms: int) -> tuple[Act, ...]:
    return tuple(
        _act(event, started_ms) for event in events if isinstance(event, ConsentAct) and event.party == party.party
    )


def _act(event: ConsentAct, started_ms: int) -> Act:
    standing = event.standing if isinstance(event, ConsentGiven) else None
    method: Method | None = None
    evidence: str | None = None
    if not isinstance(event, ConsentRequested):
        method = event.method
        evidence = None if method is None else event.evidence
    return Act(
        deed=DEEDS[type(event)],
        at_ms=started_ms + event.offset_ms if standing is None else standing.given_ms,
        method=method,
        evidence=evidence,
        notice=event.notice if isinstance(event, ConsentRequested | ConsentGiven) else None,
        expires_ms=None if standing is None else standing.expires_ms,
    )


def _nothing(party: PartyEntry) -> NoReceiptError:
    role = party.role.value
    if party.consent != "none":
        return NoReceiptError(
            f"How this {role} answered was erased with the person: only that it was {party.consent} is left.",
            code="receipt_erased",
        )
    return NoReceiptError(f"Nobody asked this {role} for consent: there is nothing to give a receipt for.")
