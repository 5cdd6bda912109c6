"""What every caller has to sit through, spoken and measured: first layer and question in 20 s, in every language."""

import dataclasses
from collections.abc import Iterator

import pytest

from tallylight.app.store import all_settings
from tallylight.config.trial import TRIAL, trial
from tallylight.consent.notices import LANGUAGES, WRITTEN, NoticeKind, RenderedNotice, render, script, wording
from tallylight.consent.wording.form import Variant
from tallylight.law.vocabulary import Purpose
from tallylight.policy.settings import Settings
from tallylight.speech.espeak import EspeakSynthesiser
from tallylight.speech.synthesis import VOICES, duration_ms

LIMIT_MS = 20_000


@pytest.fixture(scope="module")
def voice() -> Iterator[EspeakSynthesiser]:
    voice = EspeakSynthesiser()
    yield voice
    voice.close()


def trial_settings(language: str) -> Settings:
    return dataclasses.replace(all_settings(trial())[TRIAL], language=language)


def spoken_ms(voice: EspeakSynthesiser, kind: NoticeKind, language: str) -> int:
    return notice_ms(voice, render(kind, language, trial_settings(language)))


def notice_ms(voice: EspeakSynthesiser, notice: RenderedNotice) -> int:
    spoken = voice.speak_now(notice.text, language=notice.language, words_per_minute=notice.words_per_minute)
    return duration_ms(spoken)


def test_every_language_the_house_words_it_can_speak() -> None:
    assert set(LANGUAGES) == set(VOICES) == {"da", "de", "en", "es", "fr"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_first_layer_and_question_take_at_most_twenty_seconds(voice: EspeakSynthesiser, language: str) -> None:
    rate = render(NoticeKind.QUESTION, language, trial_settings(language)).words_per_minute
    assert rate == 195 if language == "de" else 160 <= rate <= 200
    first_layer = spoken_ms(voice, NoticeKind.FIRST_LAYER, language)
    question = spoken_ms(voice, NoticeKind.QUESTION, language)
    assert first_layer > 5_000, "shorter than this it cannot say what it must"
    assert question > 2_000
    assert first_layer + question <= LIMIT_MS
    assert first_layer + spoken_ms(voice, NoticeKind.QUESTION_SPOKEN, language) <= LIMIT_MS
    assert spoken_ms(voice, NoticeKind.QUESTION_AGAIN, language) <= question, "a repetition is no longer than the first"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("variant", sorted(set(Variant) - WRITTEN))
def test_every_variant_that_is_heard_takes_at_most_twenty_seconds(
    voice: EspeakSynthesiser, variant: Variant, language: str
) -> None:
    longest = max(Purpose, key=lambda purpose: len(wording(language).purposes[purpose]))
    for purpose in {Purpose.QUALITY_ASSURANCE, longest}:
        terms = dataclasses.replace(trial_settings(language), purpose=purpose)
        parts = script(variant, language, terms)
        assert sum(notice_ms(voice, part) for part in parts) <= LIMIT_MS
