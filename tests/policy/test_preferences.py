"""What holds of every preference, and who chose it: F110, F116."""

import itertools
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.law.vocabulary import Conference, Mode, ProjectKind
from tallylight.policy.preferences import (
    DEFAULTS,
    MODES,
    ONLY_IN,
    PreferenceError,
    Preferences,
    Source,
    effective_settings,
)

NAMES = [field.name for field in fields(Preferences)]
NOTHING = Preferences()
OTHER: dict[str, Any] = {
    "mode": Mode.BOTH,
    "conference": Conference.AGENT_AND_CUSTOMER,
    "start_paused": True,
    "agents_hear_others": True,
    "several_receipts": True,
    "attested_consent": True,
    "retention_months": 12,
    "receipt_months": 24,
}
"""A choice that is not the default, for every preference."""
YET_ANOTHER: dict[str, Any] = {
    "mode": Mode.AGENT_ONLY,
    "conference": Conference.NONE,
    "start_paused": False,
    "agents_hear_others": False,
    "several_receipts": False,
    "attested_consent": False,
    "retention_months": 1,
    "receipt_months": 2,
}


def kind_for(name: str) -> ProjectKind:
    return ONLY_IN.get(name, ProjectKind.OMNI)


def chosen(name: str, value: object) -> Preferences:
    return replace(NOTHING, **{name: value})  # type: ignore[arg-type]


def levels(kind: ProjectKind) -> st.SearchStrategy[Preferences]:
    """What a level of this kind of project may say."""
    values = {
        "mode": st.sampled_from(MODES[kind]),
        "conference": st.sampled_from(Conference),
        "retention_months": st.integers(1, 120),
        "receipt_months": st.integers(1, 120),
    }
    said = {name: st.none() | values.get(name, st.booleans()) for name in NAMES}
    return st.builds(Preferences, **said)


def own(level: Preferences, kind: ProjectKind) -> Preferences:
    """Without what this kind of project cannot choose for itself."""
    return replace(level, **{name: None for name, only in ONLY_IN.items() if only is not kind})


@pytest.mark.parametrize("name", NAMES)
def test_who_wins(name: str) -> None:
    """The whole table of one preference: chosen or not by the project, and by the whole house."""
    default = getattr(DEFAULTS, name)
    for mine, everywhere in itertools.product((None, OTHER[name]), (None, YET_ANOTHER[name])):
        found = effective_settings(chosen(name, mine), chosen(name, everywhere), kind_for(name))[name]
        expected = (
            (Source.PROJECT, mine, "the project's own choice overrides the global one")
            if mine is not None
            else (Source.GLOBAL, everywhere, "the project uses the global setting")
            if everywhere is not None
            else (Source.DEFAULT, default, "nobody has chosen, so the default of the house holds")
        )
        assert (found.source, found.value, found.rule) == expected
        assert [(each.source, each.value) for each in found.chain] == [
            (Source.PROJECT, mine),
            (Source.GLOBAL, everywhere),
            (Source.DEFAULT, default),
        ]


@given(data=st.data(), kind=st.sampled_from(ProjectKind))
def test_the_nearest_that_has_chosen_wins_and_the_chain_is_whole(data: st.DataObject, kind: ProjectKind) -> None:
    project, everywhere = own(data.draw(levels(kind)), kind), data.draw(levels(kind))
    found = effective_settings(project, everywhere, kind)
    assert list(found) == NAMES
    for name, choice in found.items():
        said = [getattr(level, name) for level in (project, everywhere, DEFAULTS)]
        assert [each.source for each in choice.chain] == list(Source)
        assert [each.value for each in choice.chain] == said
        assert choice.value == next((value for value in said if value is not None), None)
        assert choice.value == next(each.value for each in choice.chain if each.source is choice.source)


@given(data=st.data(), kind=st.sampled_from(ProjectKind))
def test_what_a_project_says_is_not_moved_by_the_whole_house(data: st.DataObject, kind: ProjectKind) -> None:
    project = own(data.draw(levels(kind)), kind)
    one, other = (effective_settings(project, data.draw(levels(kind)), kind) for _ in range(2))
    for name in NAMES:
        if getattr(project, name) is not None:
            assert one[name].value == other[name].value == getattr(project, name)


def test_false_is_a_choice() -> None:
    """A project that says no to what the whole house does is not one that has not said anything."""
    found = effective_settings(Preferences(start_paused=False), Preferences(start_paused=True))["start_paused"]
    assert (found.value, found.source) == (False, Source.PROJECT)


@pytest.mark.parametrize("name", ONLY_IN)
def test_a_choice_of_the_other_kind_is_refused_and_named(name: str) -> None:
    only = ONLY_IN[name]
    (other,) = set(ProjectKind) - {only}
    with pytest.raises(PreferenceError) as refused:
        effective_settings(chosen(name, OTHER[name]), NOTHING, other)
    assert refused.value.message == f"{name} is a choice of {only.value} projects, and this one is {other.value}."
    assert effective_settings(NOTHING, chosen(name, OTHER[name]), other)[name].value == OTHER[name]


@pytest.mark.parametrize("kind", ProjectKind)
@pytest.mark.parametrize("mode", Mode)
def test_a_mode_is_one_of_its_kind_whoever_chose_it(kind: ProjectKind, mode: Mode) -> None:
    wish = Preferences(mode=mode)
    for project, everywhere, rule in (
        (wish, NOTHING, "the project's own choice overrides the global one"),
        (NOTHING, wish, "the project uses the global setting"),
    ):
        if mode in MODES[kind]:
            assert effective_settings(project, everywhere, kind)["mode"].value is mode
            continue
        with pytest.raises(PreferenceError) as refused:
            effective_settings(project, everywhere, kind)
        names = ", ".join(each.value for each in MODES[kind])
        assert refused.value.code == "preference_invalid"
        assert refused.value.message == (
            f"{kind.value} projects have no mode {mode.value} ({rule}): choose one of {names}."
        )


def test_what_the_project_overrides_is_not_held_against_it() -> None:
    found = effective_settings(Preferences(mode=Mode.BOTH), Preferences(mode=Mode.VOICE_RECEIPTS))
    assert found["mode"].value is Mode.BOTH
