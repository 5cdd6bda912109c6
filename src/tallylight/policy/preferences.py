"""What is chosen for the whole house, what a project says instead, and which of them holds."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from types import MappingProxyType
from typing import cast

from tallylight.errors import TallylightError
from tallylight.law.vocabulary import Conference, Mode, ProjectKind


class PreferenceError(TallylightError):
    """A project's kind does not have what was chosen for it; the message names the choices it has."""

    code = "preference_invalid"


class Source(StrEnum):
    """Who chose, the nearest first: the first that has chosen wins."""

    PROJECT = "project"
    GLOBAL = "global"
    DEFAULT = "default"


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """One level's choices; None: whatever the next level says."""

    mode: Mode | None = None
    conference: Conference | None = None
    start_paused: bool | None = None
    agents_hear_others: bool | None = None
    several_receipts: bool | None = None
    attested_consent: bool | None = None
    retention_months: int | None = None
    receipt_months: int | None = None


Value = Mode | Conference | bool | int | None

DEFAULTS = Preferences(
    mode=Mode.NONE,
    conference=Conference.ALL,
    start_paused=False,
    agents_hear_others=False,
    several_receipts=False,
    attested_consent=False,
    retention_months=3,
)
"""Of the house: a new project records nobody, and what another one records is kept for three months."""

MODES = MappingProxyType(
    {
        ProjectKind.OMNI: (Mode.BOTH, Mode.AGENT_ONLY_ALLOW_CUSTOMER, Mode.AGENT_ONLY, Mode.NONE),
        ProjectKind.OUTBOUND: tuple(Mode),
    }
)
"""The record modes of each kind of project."""

ONLY_IN = MappingProxyType(
    {
        "conference": ProjectKind.OMNI,
        "agents_hear_others": ProjectKind.OUTBOUND,
        "several_receipts": ProjectKind.OUTBOUND,
        "receipt_months": ProjectKind.OUTBOUND,
    }
)
"""Choices that one kind of project alone can make for itself."""


@dataclass(frozen=True, kw_only=True)
class Considered:
    """One level that was looked at."""

    source: Source
    value: Value
    """None: it leaves the choice to the next."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The value that holds, who chose it, and every level that was considered, the nearest first."""

    value: Value
    source: Source
    chain: tuple[Considered, ...]

    @property
    def rule(self) -> str:
        """Which rule won, in words."""
        return _RULES[self.source]


_RULES = {
    Source.PROJECT: "the project's own choice overrides the global one",
    Source.GLOBAL: "the project uses the global setting",
    Source.DEFAULT: "nobody has chosen, so the default of the house holds",
}


def effective_settings(
    project: Preferences, everywhere: Preferences, kind: ProjectKind = ProjectKind.OMNI
) -> Mapping[str, Chosen]:
    """For every preference what holds in a project, and why.

    Whatever holds, a person's no goes before it (`decide`). Raises PreferenceError for what a project of this kind
    cannot choose, or cannot take over from the global setting.
    """
    for name, only in ONLY_IN.items():
        if kind is not only and getattr(project, name) is not None:
            raise PreferenceError(f"{name} is a choice of {only.value} projects, and this one is {kind.value}.")
    levels = ((Source.PROJECT, project), (Source.GLOBAL, everywhere), (Source.DEFAULT, DEFAULTS))
    chosen = {field.name: _choose(field.name, levels) for field in fields(Preferences)}
    mode = chosen["mode"]
    if mode.value not in MODES[kind]:
        names = ", ".join(each.value for each in MODES[kind])
        raise PreferenceError(
            f"{kind.value} projects have no mode {cast('Mode', mode.value).value} ({mode.rule}): choose one of {names}."
        )
    return chosen


def _choose(name: str, levels: tuple[tuple[Source, Preferences], ...]) -> Chosen:
    chain = tuple(Considered(source=source, value=getattr(level, name)) for source, level in levels)
    winner = next((each for each in chain if each.value is not None), chain[-1])
    return Chosen(value=winner.value, source=winner.source, chain=chain)
