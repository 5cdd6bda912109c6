"""What a project may choose, take over and must state: `[recording]` and `[project.NAME]` together."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.app.store import all_settings
from tallylight.config.errors import ConfigError
from tallylight.config.file import parse
from tallylight.config.words import CONFERENCES, GLOBAL, KINDS, MODES, MODES_OF
from tallylight.law.vocabulary import Conference, Mode
from tallylight.policy.settings import Settings

FILE = """\
[controller]
name = "Nordic Widgets"
country = "DK"
policy_address = "widgets.example/privacy"
[agents]
country = "DK"
[recording]
{everywhere}
[project.main]
kind = "{kind}"
language = "da"
purpose = "training"
basis = "consent"
{project}
"""

NECESSARY = 'necessity = "orders are only ever spoken"'


def read(kind: str = "omni", *, project: str = "", everywhere: str = "") -> Settings:
    return all_settings(parse(FILE.format(kind=kind, project=project, everywhere=everywhere)))["main"]


def rejection(kind: str = "omni", *, project: str = "", everywhere: str = "") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(kind, project=project, everywhere=everywhere)
    return caught.value.message.splitlines()


def test_a_new_project_records_nobody_and_keeps_for_three_months() -> None:
    for kind in KINDS:
        settings = read(kind)
        assert (settings.mode, settings.retention_months, settings.necessity) == (Mode.NONE, 3, None)
        assert (settings.start_paused, settings.agents_hear_others, settings.several_receipts) == (False,) * 3
        assert settings.attested_consent is False
        assert settings.conference is Conference.ALL


WRITTEN = (None, GLOBAL, *MODES)


@pytest.mark.parametrize("kind", KINDS)
def test_every_mode_of_every_kind_over_every_global_mode(kind: str) -> None:
    """The whole table: the project's word, or the global one, or none; refused where the kind has no such mode."""
    for own, everywhere in itertools.product(WRITTEN, (None, *MODES)):
        project = NECESSARY + ("" if own is None else f'\nmode = "{own}"')
        globally = "" if everywhere is None else f'mode = "{everywhere}"'
        effective = (everywhere or "none") if own in (None, GLOBAL) else own
        if effective in MODES_OF[kind]:
            assert read(kind, project=project, everywhere=globally).mode == effective
            continue
        (line,) = rejection(kind, project=project, everywhere=globally)
        whence = " (taken over from recording.mode)" if own in (None, GLOBAL) else ""
        assert line == (
            f"tallylight.toml, line {9 if own is None else 15}: project.main.mode: {kind} projects have no mode"
            f" {effective!r}{whence}; choose one of {', '.join(MODES_OF[kind])}."
        )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", MODES)
def test_recording_asks_why_it_is_necessary(kind: str, mode: str) -> None:
    if mode not in MODES_OF[kind]:
        return
    own, everywhere = f'mode = "{mode}"', ""
    for project, globally, line, whence in (
        (own, everywhere, 9, ""),
        ("", own, 9, ", taken over from recording.mode"),
    ):
        if mode == "none":
            assert read(kind, project=project, everywhere=globally).mode is Mode.NONE
            continue
        assert rejection(kind, project=project, everywhere=globally) == [
            f"tallylight.toml, line {line}: project.main.necessity: missing; whoever records states why what is said cannot"
            f" practically be documented another way (mode is {mode!r}{whence}; mode 'none' needs no statement)."
        ]
        assert read(kind, project=f"{project}\n{NECESSARY}", everywhere=globally).mode == mode
        blank = rejection(kind, project=f'{project}\nnecessity = " "', everywhere=globally)
        assert any("project.main.necessity: it is empty." in line for line in blank)


@pytest.mark.parametrize("conference", CONFERENCES)
def test_conference_is_inherited_or_chosen(conference: str) -> None:
    everywhere = f'conference = "{conference}"'
    assert read(everywhere=everywhere).conference == conference
    assert read(everywhere=everywhere, project='conference = "global"').conference == conference
    for own in CONFERENCES:
        assert read(everywhere=everywhere, project=f'conference = "{own}"').conference == own


@pytest.mark.parametrize(
    ("kind", "line", "owner"),
    [
        *(("outbound", f'conference = "{word}"', "omni") for word in (*CONFERENCES, GLOBAL)),
        ("omni", "agents_hear_others = false", "outbound"),
        ("omni", "several_receipts = true", "outbound"),
        ("omni", 'receipt_basis = "consent"', "outbound"),
        ("omni", "receipt_months = 3", "outbound"),
    ],
)
def test_a_choice_of_the_other_kind_is_refused(kind: str, line: str, owner: str) -> None:
    key = line.partition(" ")[0]
    assert rejection(kind, project=line) == [
        f"tallylight.toml, line 14: project.main.{key}: a choice of {owner} projects, and this one is {kind}; take it out."
    ]


@pytest.mark.parametrize(
    ("project", "everywhere", "sentence"),
    [
        ('kind = "inbound"', "", "is no TOML file"),
        ('mode = "agents_only"', "", "'agents_only' is none of both, agent_only_allow_customer, agent_only,"),
        ('sector = "banking"', "", "'banking' is none of card_payment, commodity_futures,"),
        ('conference = "some"', "", "'some' is none of all, none, agent_and_customer, stop_on_third_party, global"),
        ('attested_consent = "yes"', "", "project.main.attested_consent: should be a valid boolean"),
        ('minors = "yes"', "", "project.main.minors: should be a valid boolean"),
        ('prompts = "no"', "", "project.main.prompts: should be a valid boolean"),
        ("retention_months = 0", "", "project.main.retention_months: should be greater than or equal to 1, not 0."),
        ('retention_months = "global"', "", "project.main.retention_months: should be a valid integer"),
        ("", 'mode = "global"', "line 8: recording.mode: 'global' is none of both,"),
        ("", 'conference = "global"', "line 8: recording.conference: 'global' is none of all,"),
        ("", "necessity = 'x'", "line 8: recording.necessity: unknown key; the keys here are"),
        ("", "receipt_month = 2", "did you mean receipt_months or"),
    ],
)
def test_words_that_are_none(project: str, everywhere: str, sentence: str) -> None:
    found = rejection(project=project, everywhere=everywhere)
    assert any(sentence in line for line in found), found


def test_a_kind_that_is_none() -> None:
    (line,) = rejection("inbound")
    assert (
        line
        == "tallylight.toml, line 10: project.main.kind: 'inbound' is none of omni, outbound; did you mean outbound?."
    )


@given(
    kind=st.sampled_from(KINDS),
    own=st.sampled_from((None, True, False)),
    everywhere=st.sampled_from((None, True, False)),
    months=st.tuples(*[st.none() | st.integers(1, 1200)] * 2),
)
def test_project_beats_global_beats_default(
    kind: str, own: bool | None, everywhere: bool | None, months: tuple[int | None, int | None]
) -> None:
    def lines(paused: bool | None, kept: int | None) -> str:
        written = [] if paused is None else [f"start_paused = {str(paused).lower()}"]
        return "\n".join([*written, *([] if kept is None else [f"retention_months = {kept}"])])

    settings = read(kind, project=lines(own, months[0]), everywhere=lines(everywhere, months[1]))
    assert settings.start_paused is (own if own is not None else bool(everywhere))
    assert settings.retention_months == (months[0] or months[1] or 3)
