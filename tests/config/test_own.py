"""Purposes and wordings of the operator's own: read, placed, and named with their line where they do not fit."""

from pathlib import Path

import pytest

from tallylight.app.store import settings_of
from tallylight.app.wordings import own_wordings, wording_version
from tallylight.config.configuration import Configuration
from tallylight.config.errors import ConfigError
from tallylight.config.file import FILE_NAME, load, parse
from tallylight.consent.errors import NoticeError, PurposeError
from tallylight.consent.notices import NoticeKind, render
from tallylight.consent.purposes import OwnPurpose
from tallylight.law.vocabulary import Purpose
from tests.consent.test_wording import shipped

FILE = """\
[controller]
name = "Example Ltd"
country = "DK"
policy_address = "example.com/privacy"

[agents]
country = "DK"

[project.main]
language = "{language}"
mode = "both"
necessity = "What is coached has to be heard."
purpose = "{purpose}"
basis = "consent"

[purpose.coaching]
judged_as = "{judged_as}"
term = "{term}"
words = {{ en = "to coach our staff", nb = "for å veilede våre medarbeidere" }}

[wording]
{wording}
"""


def written(**changes: str) -> str:
    usual = {
        "language": "en",
        "purpose": "coaching",
        "judged_as": "training",
        "term": "HumanResourceManagement",
        "wording": "",
    }
    return FILE.format(**{**usual, **changes})


def at(folder: Path, text: str, **changes: str) -> Configuration:
    (folder / "own.toml").write_text(text, encoding="utf-8")
    (folder / FILE_NAME).write_text(written(**changes), encoding="utf-8")
    return load(folder)


def norwegian(text: str) -> str:
    """Danish, said to be Norwegian: enough to be read as another language."""
    return text.replace('language = "da"', 'language = "nb"')


def test_a_project_with_a_purpose_of_its_own() -> None:
    configuration = parse(written())
    settings = settings_of(configuration, configuration.projects[0])
    assert settings.purpose is Purpose.TRAINING
    assert settings.own_purpose == OwnPurpose(
        name="coaching",
        words={"en": "to coach our staff", "nb": "for å veilede våre medarbeidere"},
        term="HumanResourceManagement",
        judged_as=Purpose.TRAINING,
    )
    assert "to coach our staff" in render(NoticeKind.FIRST_LAYER, "en", settings).text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"purpose": "coachin"}, "line 13: project.main.purpose: 'coachin' is none of quality_assurance,"),
        ({"purpose": "coachin"}, "did you mean coaching"),
        ({"language": "de"}, "line 13: project.main.purpose: purpose.coaching.words has none in 'de'; add them."),
        ({"language": "sv"}, "line 10: project.main.language: 'sv' is none of da, de, en, es, fr"),
        ({"judged_as": "coaching"}, "line 17: purpose.coaching.judged_as: 'coaching' is none of quality_assurance,"),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(written(**changes))
    assert sentence in str(caught.value)


def test_a_term_that_nobody_knows() -> None:
    configuration = parse(written(term="HumanResourcesManagement"))
    with pytest.raises(PurposeError, match="did you mean HumanResourceManagement"):
        settings_of(configuration, configuration.projects[0])


def test_a_language_of_the_operators_own(tmp_path: Path) -> None:
    configuration = at(tmp_path, norwegian(shipped("da")), language="nb", wording='nb = "own.toml"')
    words = own_wordings(configuration)
    settings = settings_of(configuration, configuration.projects[0])
    assert settings.wording == wording_version(configuration)
    told = render(NoticeKind.FIRST_LAYER, "nb", settings, words=words["nb"])
    assert (told.language, "for å veilede våre medarbeidere" in told.text) == ("nb", True)


def test_another_wording_is_another_version_of_the_settings(tmp_path: Path) -> None:
    first = at(tmp_path, shipped("en"), wording='en = "own.toml"')
    second = at(tmp_path, shipped("en").replace("Privacy policy", "Our privacy policy"), wording='en = "own.toml"')
    versions = {settings_of(each, each.projects[0]).version for each in (first, second, parse(written()))}
    assert len(versions) == 3


def test_a_wording_that_leaves_something_out_stops_the_start(tmp_path: Path) -> None:
    poor = shipped("en").replace(" Our service is the same either way.", "")
    with pytest.raises(
        NoticeError, match=r"wording\.en: texts\.first_layer: Say that the service is the same either way"
    ):
        own_wordings(at(tmp_path, poor, wording='en = "own.toml"'))


def test_a_wording_in_another_language_than_its_name(tmp_path: Path) -> None:
    with pytest.raises(NoticeError, match=r"wording\.nb is a wording in 'da': name it under its own language"):
        own_wordings(at(tmp_path, shipped("da"), wording='nb = "own.toml"'))


def test_a_wording_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml cannot be read"):
        at(tmp_path, "", wording='en = "gone.toml"')
