"""Wordings as files: read strictly, linted whole; the variants; whose language it is."""

import dataclasses
import importlib.resources
import re

import pytest

from tallylight.consent.errors import NoticeError
from tallylight.consent.lint import Element, WordingFinding, lint, lint_wording
from tallylight.consent.notices import LANGUAGES, WRITTEN, NoticeKind, choose_language, recall, render, script, wording
from tallylight.consent.wording.form import Variant, parse_wording
from tallylight.law.vocabulary import Mode, Purpose
from tests.policy.making import SETTINGS

languages = pytest.mark.parametrize("language", LANGUAGES)


def shipped(language: str) -> str:
    return importlib.resources.files("tallylight.consent.wording").joinpath(f"{language}.toml").read_text("utf-8")


@languages
def test_every_shipped_wording_is_complete(language: str) -> None:
    words = parse_wording(shipped(language), source="a.toml")
    assert words == wording(language)
    assert lint_wording(words) == ()


@languages
@pytest.mark.parametrize("variant", Variant)
def test_every_variant_leaves_nothing_out(language: str, variant: Variant) -> None:
    texts = set()
    for purpose in Purpose:
        for mode in (Mode.BOTH, Mode.AGENT_ONLY):
            terms = dataclasses.replace(SETTINGS, language=language, purpose=purpose, mode=mode)
            parts = script(variant, language, terms)
            text = " ".join(part.text for part in parts)
            assert lint(text, terms, variant=variant) == ()
            assert not re.search(r"[{}]|  |\s[,.]", text)
            assert all((part.variant, part.version) == (variant, "3") for part in parts)
            written = variant in WRITTEN
            assert (terms.policy_address in text) == written
            texts.add(text)
    assert len(texts) == 2 * len(Purpose) - (len(Purpose) if variant is Variant.EMPLOYEE else 0)


@languages
def test_variants_are_told_apart(language: str) -> None:
    terms = dataclasses.replace(SETTINGS, language=language)
    assert len({script(variant, language, terms)[0].sha256 for variant in Variant}) == len(Variant)
    asking = {variant for variant in Variant if len(script(variant, language, terms)) == 2}
    assert asking == {Variant.INBOUND, Variant.OUTBOUND, Variant.VIDEO, Variant.AGENT_SCRIPT}


def test_an_employee_is_told_unless_nobody_is_recorded() -> None:
    terms = dataclasses.replace(SETTINGS, mode=Mode.NONE)
    with pytest.raises(NoticeError, match="records no employee"):
        script(Variant.EMPLOYEE, "en", terms)
    assert render(NoticeKind.FIRST_LAYER, "en", terms, variant=Variant.OUTBOUND).text.endswith("is not recorded.")


@languages
def test_who_stays_on_is_offered_a_line_without_recording(language: str) -> None:
    terms = dataclasses.replace(SETTINGS, language=language)
    (notice,) = script(Variant.CONTINUED, language, terms)
    gone = notice.text
    for phrase in wording(language).says_unrecorded:
        gone = re.sub(re.escape(phrase), "", gone, flags=re.IGNORECASE)
    assert [each.element for each in lint(gone, terms, variant=Variant.CONTINUED)] == [Element.UNRECORDED_LINE]


@pytest.mark.parametrize(
    ("understood", "expected"),
    [
        ((), ("da", True)),
        (("da",), ("da", True)),
        (("de-AT", "en"), ("de", True)),
        (("sv", "EN-gb"), ("en", True)),
        (("sv",), ("da", False)),
        (("zh-Hant", "x"), ("da", False)),
    ],
)
def test_no_fluent_wording_is_no_informed_consent(understood: tuple[str, ...], expected: tuple[str, bool]) -> None:
    choice = choose_language(understood, "da")
    assert (choice.language, choice.informed) == expected


def test_a_project_whose_language_nobody_words_informs_nobody() -> None:
    assert not choose_language((), "sv").informed


def findings(text: str) -> tuple[WordingFinding, ...]:
    return lint_wording(parse_wording(text, source="own.toml"))


@pytest.mark.parametrize(
    ("old", "new", "text", "element"),
    [
        ("This is {controller}. We", "We", "variants.outbound", Element.CONTROLLER),
        ("and prospective customers are recorded", "are recorded", "", None),
        (" recorded and stored {purpose}", " recorded and stored", "variants.employee", Element.PURPOSES),
        ("We record and store this call", "We record and hear this call", "variants.outbound", Element.STORED),
        ("are recorded and stored", "are stored", "variants.employee", Element.RECORDED),
        ("You may object, ask", "You may ask", "variants.employee", Element.OBJECTION),
        ("To withdraw, choose {withdraw} at any time. ", "", "variants.video", Element.WITHDRAWAL),
        (" You get the same service either way.", "", "variants.agent_script", Element.SAME_SERVICE),
        ("or {withdraw} at any time", "at any time", "variants.continued", Element.WITHDRAWAL),
        ("Before we begin:", "This call may be recorded.", "variants.agent_script", Element.CERTAIN),
        ("Before we begin:", "You must agree.", "variants.agent_script", Element.FREE),
        ("If you stay on the line, you agree.", "Unless you agree, hang up.", "variants.continued", Element.FREE),
    ],
)
def test_a_wording_is_linted_text_by_text(old: str, new: str, text: str, element: Element | None) -> None:
    assert old in shipped("en")
    found = findings(shipped("en").replace(old, new))
    assert {(each.text, each.element) for each in found} == ({(text, element)} if element else set())


@pytest.mark.parametrize(
    ("language", "old", "new", "element"),
    [
        (
            "de",
            "{controller} zeichnet dieses Videogespräch {purpose} auf und speichert",
            "{controller} speichert {purpose}",
            Element.RECORDED,
        ),
        (
            "fr",
            "{controller} enregistre et conserve cet appel vidéo",
            "{controller} conserve cet appel vidéo",
            Element.RECORDED,
        ),
        (
            "es",
            "{controller} graba y guarda esta videollamada",
            "{controller} guarda esta videollamada",
            Element.RECORDED,
        ),
        (
            "da",
            "{controller} optager og gemmer dette videomøde",
            "{controller} optager dette videomøde",
            Element.STORED,
        ),
    ],
)
def test_the_question_does_not_speak_for_the_first_layer(language: str, old: str, new: str, element: Element) -> None:
    assert old in shipped(language)
    found = findings(shipped(language).replace(old, new))
    assert {(each.text, each.element) for each in found} == {("variants.video", element)}


@pytest.mark.parametrize("key", ["details", "not_recorded", "withdrawn"])
def test_what_follows_must_not_make_it_a_condition_either(key: str) -> None:
    found = findings(re.sub(rf'(?m)^{key} = "', f'{key} = "You have to agree. ', shipped("en")))
    assert [(each.text, each.element) for each in found] == [(f"texts.{key}", Element.FREE)]


def test_a_finding_names_the_placeholder_and_stands_once() -> None:
    bare = re.sub(r'(?m)^first_layer = ".*"', 'first_layer = "Hello."', shipped("en"))
    messages = [each.message for each in findings(bare)]
    assert len(messages) == len(set(messages))
    assert messages[:2] == ["Say who records: {controller}.", "Say what for: {purpose}."]
    assert "Say where the policy is: {address}." in messages


def test_a_file_cannot_allow_itself_what_the_house_forbids() -> None:
    text = shipped("en").replace("Before we begin:", "This call may be recorded.")
    text = re.sub(r"(?m)^hedges = .*", 'hedges = ["perhaps"]', text)
    assert {each.element for each in findings(text)} == {Element.CERTAIN}


def test_an_operator_adds_a_language() -> None:
    words = parse_wording(shipped("da").replace('language = "da"', 'language = "nb"'), source="nb.toml")
    assert lint_wording(words) == ()
    terms = dataclasses.replace(SETTINGS, language="nb")
    (first, _) = script(Variant.INBOUND, "nb", terms, words=words)
    assert (first.language, first.text[:11]) == ("nb", "Example Ltd")
    assert choose_language(("nb-NO",), "da", {"da", "nb"}).informed


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('language = "en"\n', "", "own.toml: language is missing; add it."),
        ("outbound = ", "outbond = ", r"own.toml: variants.'outbond' is none of .*; did you mean outbound"),
        ("outbound = ", "outbond = ", "own.toml: variants.outbound is missing; add it."),
        ("[lint]", "[lynt]", "did you mean lint"),
        ("words_per_minute = 190", "words_per_minute = 300", "from 160 to 200, not 300"),
        ("words_per_minute = 190", "words_per_minute = true", "from 160 to 200, not True"),
        ("This is {controller}.", "This is {controler}.", "{controler} is no placeholder.*did you mean controller"),
        ("This is {controller}.", "This is {controller!r}.", "is no placeholder"),
        ("This is {controller}.", "This is {controller.", "variants.outbound has a brace without its other half"),
        ("This is {controller}.", "This is {}.", "{} is no placeholder"),
        ('star = "star"', "star = 1", "names.star must be a text"),
        ('"zero", ', "", "names.digits must be 10 texts, not 9"),
        ("hedges = [", "hedges = [] #", "lint.hedges must be a list of texts"),
        ("[texts]", "[texts", "own.toml is no TOML file"),
        ("[purposes]", "purposes = 3\n[x]", "purposes"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(old: str, new: str, message: str) -> None:
    assert old in shipped("en")
    with pytest.raises(NoticeError) as raised:
        parse_wording(shipped("en").replace(old, new, 1), source="own.toml")
    assert re.search(message, raised.value.message)
    assert raised.value.code == "wording_invalid"


@languages
def test_a_text_is_found_again_by_its_hash(language: str) -> None:
    terms = dataclasses.replace(SETTINGS, language=language)
    for variant in Variant:
        for part in script(variant, language, terms, withdraw_code="*7"):
            found = recall(part.sha256, terms, withdraw_code="*7")
            assert found is not None
            assert found.text == part.text
    for kind in NoticeKind:
        notice = render(kind, language, terms)
        assert recall(notice.sha256, terms) == notice
    assert recall("0" * 64, terms) is None
