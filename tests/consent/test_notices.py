"""What people hear: complete in every language, true in every mode, short enough."""

import dataclasses
import hashlib
import re

import pytest

from tallylight.consent.errors import NoticeError
from tallylight.consent.lint import Element, lint
from tallylight.consent.notices import LANGUAGES, NoticeKind, render, wording
from tallylight.law.vocabulary import Mode, Purpose
from tests.policy.making import SETTINGS

languages = pytest.mark.parametrize("language", LANGUAGES)


def first_layer_and_question(language: str, **changes: object) -> tuple[str, str]:
    terms = dataclasses.replace(SETTINGS, language=language, **changes)  # type: ignore[arg-type]
    kinds = (NoticeKind.FIRST_LAYER, NoticeKind.QUESTION)
    first, question = (render(kind, language, terms).text for kind in kinds)
    return first, question


def test_english_word_for_word() -> None:
    first, question = first_layer_and_question("en")
    assert first == (
        "Example Ltd records and stores this call for quality assurance, for three months; your own voice only if you say"
        " yes. Our service is the same either way. To withdraw later, press star two."
        " Privacy policy: example dot com slash privacy."
    )
    assert question == "May we record your voice? Press 1 for yes, 2 for no, or 9 for details."


def test_the_languages() -> None:
    assert set(LANGUAGES) == {"en", "da", "de", "fr", "es"}
    for language in LANGUAGES:
        words = wording(language)
        assert words.language == language
        assert 160 <= words.words_per_minute <= 200
        assert words.purposes.keys() == set(Purpose)
        assert len(words.numbers) == 12
        assert len(words.digits) == 10
    assert wording("de").words_per_minute == 195


@languages
@pytest.mark.parametrize("purpose", Purpose)
def test_first_layer_and_question_leave_nothing_out(language: str, purpose: Purpose) -> None:
    for months in (1, 3, 12, 13, 36):
        terms = dataclasses.replace(SETTINGS, language=language, purpose=purpose, retention_months=months)
        for mode in (Mode.BOTH, Mode.AGENT_ONLY, Mode.NONE):
            moded = dataclasses.replace(terms, mode=mode)
            text = render(NoticeKind.FIRST_LAYER, language, moded).text
            assert lint(text, moded) == ()
        text = " ".join(first_layer_and_question(language, purpose=purpose, retention_months=months))
        assert lint(text, terms) == ()
        informed = render(NoticeKind.FIRST_LAYER_INFORMED, language, terms).text
        assert lint(informed, terms) == ()


@languages
def test_every_kind_is_a_finished_sentence(language: str) -> None:
    terms = dataclasses.replace(SETTINGS, language=language)
    for kind in NoticeKind:
        for purpose in Purpose:
            notice = render(kind, language, dataclasses.replace(terms, purpose=purpose))
            assert re.search(r"[.?]$", notice.text)
            assert not re.search(r"[{}]|  |,,|\s[,.]", notice.text)
            assert notice.sha256 == hashlib.sha256(notice.text.encode()).hexdigest()
            assert (notice.kind, notice.language, notice.version) == (kind, language, "3")


@languages
def test_what_is_said_after_a_no_tells_the_two_truths_apart(language: str) -> None:
    terms = dataclasses.replace(SETTINGS, language=language)
    texts = {kind: render(kind, language, terms).text for kind in NoticeKind}
    assert len(set(texts.values())) == len(NoticeKind)


@pytest.mark.parametrize("mode", [Mode.AGENT_ONLY, Mode.NONE])
def test_nobody_is_asked_where_no_caller_is_recorded(mode: Mode) -> None:
    terms = dataclasses.replace(SETTINGS, mode=mode)
    for kind in (NoticeKind.QUESTION, NoticeKind.QUESTION_AGAIN, NoticeKind.DETAILS, NoticeKind.ACKNOWLEDGEMENT):
        with pytest.raises(NoticeError, match="records no caller, so nobody is asked: say the first layer alone"):
            render(kind, "en", terms)
    assert "is not recorded" in render(NoticeKind.FIRST_LAYER, "en", terms).text


def test_the_agent_only_notice_says_whose_voice_is_recorded() -> None:
    text = render(NoticeKind.FIRST_LAYER, "en", dataclasses.replace(SETTINGS, mode=Mode.AGENT_ONLY)).text
    assert text == (
        "Example Ltd records and stores our employee's voice on this call for quality assurance, for three months."
        " Your own voice is not recorded. Privacy policy: example dot com slash privacy."
    )


def test_an_unknown_language_names_those_there_are() -> None:
    with pytest.raises(NoticeError, match="no wording in 'sv': choose one of en, da, de, fr, es") as raised:
        render(NoticeKind.QUESTION, "sv", SETTINGS)
    assert raised.value.code == "language_unknown"


def test_a_recording_that_is_not_kept_has_no_notice() -> None:
    with pytest.raises(NoticeError, match="at least one month: set retention_months to 1 or more"):
        render(NoticeKind.FIRST_LAYER, "en", dataclasses.replace(SETTINGS, retention_months=0))


@pytest.mark.parametrize(
    ("language", "one", "three", "thirteen"),
    [
        ("en", "one month", "three months", "13 months"),
        ("da", "en måned", "tre måneder", "13 måneder"),
        ("de", "einen Monat", "drei Monate", "13 Monate"),
        ("fr", "un mois", "trois mois", "13 mois"),
        ("es", "un mes", "tres meses", "13 meses"),
    ],
)
def test_durations(language: str, one: str, three: str, thirteen: str) -> None:
    assert [wording(language).duration(months) for months in (1, 3, 13)] == [one, three, thirteen]


@pytest.mark.parametrize(
    ("address", "spoken"),
    [
        ("example.com/privacy", "example dot com slash privacy"),
        ("https://www.my-shop.dk/", "www dot my dash shop dot dk"),
        ("http://example.com/a/b/", "example dot com slash a slash b"),
    ],
)
def test_addresses_are_spoken(address: str, spoken: str) -> None:
    assert wording("en").address(address) == spoken


@pytest.mark.parametrize(
    ("language", "code", "spoken"),
    [
        ("en", "*2", "star two"),
        ("da", "*2", "stjerne to"),
        ("de", "*17", "Stern eins sieben"),
        ("fr", "#0", "dièse zéro"),
    ],
)
def test_a_withdrawal_code_is_named_as_it_is_set(language: str, code: str, spoken: str) -> None:
    terms = dataclasses.replace(SETTINGS, language=language)
    text = render(NoticeKind.FIRST_LAYER, language, terms, withdraw_code=code).text
    assert spoken in text
    assert lint(text, terms, withdraw_code=code) == ()


def test_a_name_with_braces_is_only_a_name() -> None:
    terms = dataclasses.replace(SETTINGS, controller="{purpose} & {0} Ltd")
    assert render(NoticeKind.FIRST_LAYER_INFORMED, "en", terms).text.startswith("{purpose} & {0} Ltd records")


COMPLETE = {
    "en": " ".join(first_layer_and_question("en")),
    "da": " ".join(first_layer_and_question("da")),
    "de": " ".join(first_layer_and_question("de")),
    "fr": " ".join(first_layer_and_question("fr")),
    "es": " ".join(first_layer_and_question("es")),
}


@pytest.mark.parametrize(
    ("language", "left_out", "element"),
    [
        ("en", "Example Ltd", Element.CONTROLLER),
        ("en", "for quality assurance", Element.PURPOSES),
        ("en", "and stores", Element.STORED),
        ("en", "three months", Element.RETENTION),
        ("en", "press star two", Element.WITHDRAWAL),
        ("en", "example dot com slash privacy", Element.POLICY_ADDRESS),
        ("en", "Our service is the same either way.", Element.SAME_SERVICE),
        ("da", "og gemmer", Element.STORED),
        ("da", "samme", Element.SAME_SERVICE),
        ("de", "und speichert es", Element.STORED),
        ("de", "Stern zwei", Element.WITHDRAWAL),
        ("fr", "et conserve", Element.STORED),
        ("fr", "étoile deux", Element.WITHDRAWAL),
        ("es", "y guarda", Element.STORED),
        ("es", "el mismo", Element.SAME_SERVICE),
    ],
)
def test_what_is_left_out_is_found(language: str, left_out: str, element: Element) -> None:
    terms = dataclasses.replace(SETTINGS, language=language)
    text = COMPLETE[language]
    assert left_out in text
    assert [finding.element for finding in lint(text.replace(left_out, ""), terms)] == [element]


@pytest.mark.parametrize(
    ("language", "added", "element"),
    [
        ("en", "This call may be recorded.", Element.CERTAIN),
        ("en", "Unless you agree, we end the call.", Element.FREE),
        ("en", "You must agree.", Element.FREE),
        ("da", "Samtalen kan blive optaget.", Element.CERTAIN),
        ("da", "Du skal acceptere.", Element.FREE),
        ("de", "Das Gespräch kann aufgezeichnet werden.", Element.CERTAIN),
        ("de", "Sie müssen zustimmen.", Element.FREE),
        ("fr", "L'appel peut être enregistré.", Element.CERTAIN),
        ("fr", "Vous devez accepter.", Element.FREE),
        ("es", "La llamada puede ser grabada.", Element.CERTAIN),
        ("es", "Usted debe aceptar.", Element.FREE),
    ],
)
def test_what_must_not_be_said_is_found(language: str, added: str, element: Element) -> None:
    terms = dataclasses.replace(SETTINGS, language=language)
    assert [finding.element for finding in lint(f"{COMPLETE[language]} {added}", terms)] == [element]


def test_findings_say_what_to_add() -> None:
    messages = [finding.message for finding in lint("Hello.", SETTINGS)]
    assert "Say who records: Example Ltd." in messages
    assert "Say how to withdraw: star two." in messages
    assert "Say for how long: three months." in messages


def test_a_name_says_nothing() -> None:
    terms = dataclasses.replace(SETTINGS, controller="Recorded and Stored Ltd")
    text = COMPLETE["en"].replace("Example Ltd records and stores", "Recorded and Stored Ltd keeps an eye on")
    assert [finding.element for finding in lint(text.replace("keeps", "has"), terms)] == [
        Element.RECORDED,
        Element.STORED,
    ]
