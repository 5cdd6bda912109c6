"""The trial profile is complete, and speaks the other rooms' words."""

from tallylight.config import words
from tallylight.config.trial import trial
from tallylight.law.vocabulary import LawfulBasis, Mode, Purpose
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
    assert (project.language, project.mode, project.purpose, project.basis) == (
        "en",
        "both",
        "quality_assurance",
        "consent",
    )
    assert project.retention_months == 3
    assert project.proof_ground is None
    assert all(network.is_loopback for network in profile.sip.allowed)


def test_the_words_are_those_of_the_law() -> None:
    assert set(words.MODES) == set(Mode)
    assert set(words.PURPOSES) == set(Purpose) - {Purpose.PROOF_OF_CONSENT}
    assert set(words.BASES) == set(LawfulBasis)


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
    fields = Settings.__dataclass_fields__
    (project,) = trial().projects
    assert project.retention_months == fields["retention_months"].default
    assert project.proof_months == fields["proof_retention_months"].default
    assert project.agent_basis == fields["agent_basis"].default
