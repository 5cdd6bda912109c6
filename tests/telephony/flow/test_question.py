"""The consent dialogue: a refusal at any moment, a yes only after the question, silence is no, and it always ends."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.telephony.flow.question import (
    DETAILS_AT_MOST,
    Answer,
    Asked,
    Finished,
    Heard,
    Listen,
    Noticed,
    Part,
    QuestionDialogue,
    Said,
    Speak,
    Step,
    TooEarly,
)


def dialogue() -> QuestionDialogue:
    return QuestionDialogue(repeat_wait_s=4)


def test_silence_is_no_after_one_repetition_of_the_question_alone() -> None:
    talk = dialogue()
    assert talk.start() == [Speak(Part.NOTICE)]
    assert talk.spoken() == [Noticed(), Asked(), Speak(Part.QUESTION)]
    assert talk.spoken() == [Heard(), Listen(4)]
    assert talk.waited() == [Speak(Part.QUESTION_AGAIN)]
    assert talk.spoken() == [Listen(4)]
    assert talk.waited() == [Finished(Answer.SILENT)]


def test_an_early_yes_opens_nothing_and_a_later_one_does() -> None:
    talk = dialogue()
    talk.start()
    assert talk.pressed("1") == [TooEarly()]
    talk.spoken()
    assert talk.pressed("1") == [TooEarly()]
    talk.spoken()
    assert talk.pressed("1") == [Finished(Answer.GIVEN)]


def test_the_details_key_asks_the_question_anew() -> None:
    talk = dialogue()
    talk.start()
    talk.spoken()
    talk.spoken()
    assert talk.pressed("9") == [Speak(Part.DETAILS)]
    assert talk.pressed("1") == [TooEarly()]
    assert talk.spoken() == [Asked(), Speak(Part.QUESTION)]
    assert talk.pressed("1") == [TooEarly()]
    assert talk.spoken() == [Heard(), Listen(4)]
    assert talk.pressed("1") == [Finished(Answer.GIVEN)]


def test_details_before_the_notice_was_heard_bring_the_notice_again() -> None:
    talk = dialogue()
    talk.start()
    talk.pressed("9")
    assert talk.spoken() == [Speak(Part.NOTICE)]


@given(st.lists(st.sampled_from(["spoken", "waited", *"0123456789*#"]), max_size=60))
def test_a_yes_needs_the_question_heard_and_a_no_needs_nothing(happenings: list[str]) -> None:
    talk = dialogue()
    steps: list[Step] = talk.start()
    heard = False
    for happening in happenings:
        before = talk.answer
        if happening == "spoken":
            steps = talk.spoken()
        elif happening == "waited":
            steps = talk.waited()
        else:
            steps = talk.pressed(happening)
        heard = (heard or Heard() in steps) and Speak(Part.DETAILS) not in steps
        if before is None and happening == "2":
            assert talk.answer is Answer.REFUSED
        if Finished(Answer.GIVEN) in steps:
            assert happening == "1"
            assert heard
        if before is not None:
            assert steps == []
            assert talk.answer is before


@given(st.lists(st.sampled_from(["9", "1", "5"]), max_size=40))
def test_it_ends_whatever_is_pressed(keys: list[str]) -> None:
    """However often the details are asked for: after a bounded number of spoken parts the dialogue is over."""
    talk = dialogue()
    talk.start()
    waiting = iter(keys)
    for _ in range(20 * (DETAILS_AT_MOST + 1)):
        if talk.answer is not None:
            break
        steps = talk.spoken() or talk.waited()
        key = next(waiting, None)
        if key is not None and not any(isinstance(step, Finished) for step in steps):
            talk.pressed(key)
    assert talk.answer is not None


def asked() -> QuestionDialogue:
    """The question has been heard."""
    talk = dialogue()
    talk.start()
    talk.spoken()
    talk.spoken()
    return talk


@pytest.mark.parametrize("order", list(itertools.product(["yes", "no", "unclear", "silence", "1", "2"], repeat=4)))
def test_every_order_of_words_silence_and_keys(order: tuple[str, ...]) -> None:
    """A no wins where it comes first; a yes is two words in a row or one key; the second miss of any kind is silence."""
    talk = asked()
    expected: Answer | None = None
    yeses = misses = 0
    for happening in order:
        if expected is None:
            yeses = yeses + 1 if happening == "yes" else 0
            misses += happening in ("unclear", "silence")
            if happening in ("no", "2"):
                expected = Answer.REFUSED
            elif happening == "1" or yeses == 2:
                expected = Answer.GIVEN
            elif misses == 2:
                expected = Answer.SILENT
        if happening in "12":
            talk.pressed(happening)
        elif happening == "silence":
            talk.waited()
        else:
            talk.said(Said(happening))
        assert talk.answer is expected
        if talk.answer is None:
            talk.spoken()


@pytest.mark.parametrize("heard_parts", [0, 1])
def test_a_no_counts_before_the_question_was_heard_and_a_yes_does_not(heard_parts: int) -> None:
    for words in Said:
        talk = dialogue()
        talk.start()
        for _ in range(heard_parts):
            talk.spoken()
        assert talk.said(words) == ([Finished(Answer.REFUSED)] if words is Said.NO else [])


def test_a_spoken_yes_is_confirmed_once_more_after_the_details_too() -> None:
    talk = asked()
    assert talk.said(Said.YES) == [Speak(Part.CONFIRM)]
    assert talk.said(Said.YES) == []
    assert talk.spoken() == [Listen(4)]
    talk.pressed("9")
    talk.spoken()
    talk.spoken()
    assert talk.said(Said.YES) == [Speak(Part.CONFIRM)]
    talk.spoken()
    assert talk.said(Said.YES) == [Finished(Answer.GIVEN)]
