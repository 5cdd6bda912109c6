"""The layers that are the house's own: settings, the people's no, being told, being paused."""

from collections.abc import Iterator

from tallylight.law.vocabulary import Action, Mode, Role
from tallylight.policy.decision import Verdict
from tallylight.policy.finding import Finding, Weight, by_house, by_rule
from tallylight.policy.modes import NOBODY, NOT_WANTED, WANTED
from tallylight.policy.profile import Profile
from tallylight.policy.situation import PAUSED_BY_SETTINGS, ConsentState, PartySituation
from tallylight.policy.view import EMPLOYED, NAMES, View

NO_IS_NO = "house rule: no is no (GDPR Arts 7(3), 21)"
TOLD_FIRST = "house rule: everybody is told first (GDPR Arts 12, 13)"
TOLD_PURPOSE = "house rule: recorded only for what people were told (GDPR Arts 5(1)(b), 13(1)(c))"
OWN_VOICE = "house rule: our own announcement stands on the recording (Wash. Rev. Code 9.73.030(3))"
AFTER_A_NO = (Action.STOP_RECORDING_CUSTOMER, Action.DO_NOT_RECORD_CUSTOMER, Action.OFFER_UNRECORDED_SERVICE)


def settings_layers(party: PartySituation, view: View) -> Iterator[Finding]:
    """What the controller has chosen."""
    settings = view.settings
    if not settings.terms_acknowledged_by:
        yield by_house(
            Weight.TERMS,
            "setting.terms_acknowledged_by",
            "setting: terms_acknowledged_by",
            Verdict.CLOSES,
            "Nobody has accepted the controller's responsibility for this project, so nothing is recorded.",
        )
    verdict = Verdict.CLOSES
    if settings.mode is Mode.NONE:
        text = NOBODY
    elif view.wants(party):
        text, verdict = WANTED[settings.mode], Verdict.ALLOWS
    else:
        text = f"{NAMES[party.role]} is not recorded: {NOT_WANTED[settings.mode]}."
    yield by_house(Weight.MODE, "setting.mode", "setting: mode", verdict, text)


LEFT = "house.present"
"""The rule that closes the gate of somebody who has left."""


def presence_layer(party: PartySituation) -> Iterator[Finding]:
    """Who has left is not recorded."""
    if not party.present:
        yield by_house(
            Weight.ABSENT,
            LEFT,
            "house rule: only who is there is recorded",
            Verdict.CLOSES,
            f"{NAMES[party.role]} has left the conversation.",
        )


def refusal_layer(party: PartySituation) -> Iterator[Finding]:
    """A no, or a yes taken back, closes that person's gate whatever else is true."""
    actions = () if party.role in EMPLOYED else AFTER_A_NO
    if party.consent.state is ConsentState.REFUSED:
        text = f"{NAMES[party.role]} said no and is not recorded."
        yield by_house(Weight.REFUSAL, "house.no_is_no", NO_IS_NO, Verdict.CLOSES, text, actions)
    elif party.consent.state is ConsentState.WITHDRAWN:
        text = f"{NAMES[party.role]} took back their yes and is not recorded any more."
        yield by_house(Weight.REFUSAL, "house.no_is_no", NO_IS_NO, Verdict.CLOSES, text, actions)


def told_layer(party: PartySituation, view: View) -> Iterator[Finding]:
    """Nobody in the dark: no gate opens before every person present has been told."""
    if view.profile is Profile.LAW:
        if not view.records(party) and not view.circumstances.recorded_by_customer:
            yield from _notices(party, view)
        return
    for other in sorted(view.untold, key=lambda other: other.party != party.party):
        if other.role in EMPLOYED:
            text = f"{NAMES[other.role]} has not been told by the employer of any recording, so nobody is recorded."
            yield by_house(Weight.TOLD, "house.told_first", TOLD_FIRST, Verdict.CLOSES, text, (Action.NOTIFY_EMPLOYEE,))
        else:
            text = f"{NAMES[other.role]} has not been told yet that the call is recorded, so nobody is recorded."
            actions = _TELL_CUSTOMER if view.law.notice else (Action.ANNOUNCE_RECORDING,)
            yield by_house(Weight.TOLD, "house.told_first", TOLD_FIRST, Verdict.CLOSES, text, actions)
    if not view.untold:
        yield by_house(
            Weight.TOLD, "house.told_first", TOLD_FIRST, Verdict.ALLOWS, "Everybody has been told of the recording."
        )
    if view.untold_purpose(party):
        text = f"{NAMES[party.role]} has not been told yet what their own voice is recorded for."
        yield by_house(Weight.TOLD, "house.told_purpose", TOLD_PURPOSE, Verdict.CLOSES, text, _TELL_CUSTOMER)
    for rule in view.law.notice:
        yield by_rule(Weight.TOLD, rule, Verdict.CLOSES if view.untold else Verdict.ALLOWS, rule.explain)
    if not view.circumstances.art13_notice and party.role not in EMPLOYED:
        yield from _notices(party, view)


def _notices(party: PartySituation, view: View) -> Iterator[Finding]:
    """What the laws of notice ask: to be told at all, and (but in a sector's own rule) all that Art. 13 GDPR names."""
    joiner = (Action.ANNOUNCE_TO_JOINER,) if party.role is Role.THIRD_PARTY else ()
    for rule in view.law.notice:
        if not party.notice_heard:
            yield by_rule(Weight.TOLD, rule, Verdict.CLOSES, rule.explain, (*_TELL_CUSTOMER, *joiner))
        elif rule.sectors is None and not view.circumstances.art13_notice:
            yield by_rule(Weight.TOLD, rule, Verdict.CLOSES, rule.explain, (Action.PROVIDE_ART13_NOTICE,))
        else:
            yield by_rule(Weight.TOLD, rule, Verdict.ALLOWS, rule.explain)


_TELL_CUSTOMER = (Action.ANNOUNCE_RECORDING, Action.PROVIDE_ART13_NOTICE)


def pause_layers(party: PartySituation, view: View) -> Iterator[Finding]:
    """Paused by somebody, by the project's setting, or because the call is on hold."""
    situation, system = view.situation, party.role is Role.SYSTEM
    by = situation.paused_by
    if by == PAUSED_BY_SETTINGS:
        # What people were told must stand on the recording, should it be switched on: our own voice is not paused.
        if not system:
            yield by_house(
                Weight.START_PAUSED,
                "setting.start_paused",
                "setting: start_paused",
                Verdict.PAUSES,
                "This project starts every call with the recording paused; nobody has switched it on.",
            )
    elif by is not None:
        who = next((NAMES[other.role] for other in situation.parties if other.party == by), "The operator")
        yield by_house(
            Weight.PAUSE,
            "house.pause",
            "house rule: a pause stops everything",
            Verdict.PAUSES,
            f"{who} paused the recording.",
        )
    if situation.on_hold and not system:
        yield by_house(
            Weight.HOLD,
            "house.hold",
            "house rule: nobody is recorded on hold",
            Verdict.PAUSES,
            "The call is on hold.",
            (Action.PAUSE_RECORDING,),
        )


def own_voice_layer() -> Finding:
    """Our own announcement: sealed from the first word, so that being told can be shown."""
    return by_house(
        Weight.ANSWER,
        "house.own_voice",
        OWN_VOICE,
        Verdict.ALLOWS,
        "This is our own announcement, nobody else's voice; it shows what people were told.",
    )
