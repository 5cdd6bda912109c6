"""The trial profile is complete, and speaks the other rooms' words."""

from dataclasses import fields

from tallylight.app.store import settings_of
from tallylight.config import configuration as config
from tallylight.config import words
from tallylight.config.trial import trial
from tallylight.law.vocabulary import Conference, LawfulBasis, Mode, ProjectKind, Purpose, Sector
from tallylight.policy.preferences import DEFAULTS, MODES, ONLY_IN, Preferences
from tallylight.policy.settings import Settings
from tallylight.telephony.flow.settings import FlowSettings


def test_the_trial_is_what_the_house_promises() -> None:
    profile = trial()
    assert profile.trial
    assert profile.controller.name == "Example Ltd"
    assert profile.controller.country == profile.agents.country == "DK"
    assert profile.controller.terms_acknowledged_by == "trial"
    assert profile.agents.employee_notice
    (project,) = profile.projects
    settings = settings_of(profile, project)
    assert (settings.language, settings.mode, settings.purpose, settings.customer_basis) == (
        "en",
        "both",
        "quality_assurance",
        "consent",
    )
    assert settings.retention_months == 3
    assert settings.necessity == "trial"
    assert settings.prompts
    assert project.proof_ground is None
    assert all(network.is_loopback for network in profile.sip.allowed)


def test_the_words_are_those_of_the_law() -> None:
    assert {kind: set(modes) for kind, modes in words.MODES_OF.items()} == {
        kind: set(modes) for kind, modes in MODES.items()
    }
    assert set(words.MODES) == set(Mode)
    assert set(words.KINDS) == set(ProjectKind)
    assert set(words.CONFERENCES) == set(Conference)
    assert set(words.SECTORS) == set(Sector)
    assert words.GLOBAL not in {*Mode, *Conference}
    assert set(words.PURPOSES) == set(Purpose) - {Purpose.PROOF_OF_CONSENT}
    assert set(words.BASES) == set(LawfulBasis)


def test_choices_are_those_of_the_policy() -> None:
    assert [field.name for field in fields(config.Preferences)] == [field.name for field in fields(Preferences)]
    assert DEFAULTS.mode == words.UNRECORDED
    assert {name: kind for name, kind in words.ONLY_IN.items() if name != "receipt_basis"} == dict(ONLY_IN)


def test_lengths_are_those_of_the_flow() -> None:
    flow, room = trial().flow, FlowSettings()
    assert (flow.repeat_wait_s, flow.agent_ring_s, flow.no_media_s, flow.max_call_s) == (
        room.repeat_wait_s,
        room.ring_s,
        room.no_media_s,
        room.max_call_s,
    )
    assert (flow.withdraw_code, flow.pause_code, flow.code_wait_s) == (
        room.withdraw_code,
        room.pause_code,
        room.code_wait_s,
    )
    assert (flow.proof_after_s, flow.prompt_seconds) == (room.proof_after_s, room.prompt_s)


def test_months_are_those_of_the_policy() -> None:
    room = Settings.__dataclass_fields__
    (project,) = trial().projects
    assert room["retention_months"].default == DEFAULTS.retention_months
    assert project.proof_months == room["proof_retention_months"].default
    assert project.agent_basis == room["agent_basis"].default
    assert project.receipt_basis == room["receipt_basis"].default
