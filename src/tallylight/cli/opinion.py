"""The question of `may-i-record`, read from words, and its answer, as text and as JSON."""

from collections.abc import Iterable

from rich.console import RenderableType
from rich.text import Text

from tallylight.config.configuration import dialled_form
from tallylight.config.words import PURPOSES, one_of
from tallylight.consent.advice import Advice
from tallylight.errors import TallylightError
from tallylight.law.countries import COUNTRIES
from tallylight.law.errors import LawError
from tallylight.law.overview import find_place
from tallylight.law.pack import Pack
from tallylight.law.vocabulary import Purpose
from tallylight.policy.decision import Reason
from tallylight.policy.may_i_record import Answer, Asker, Opinion, Question, Step
from tallylight.policy.places import UNKNOWN, places_of
from tallylight.policy.situation import Place, PlaceEvidence

_USUAL = {Asker.CUSTOMER: Purpose.DISPUTE_EVIDENCE, Asker.COMPANY: Purpose.QUALITY_ASSURANCE}


class QuestionError(TallylightError):
    """The question names something that does not exist; the message says what is near."""

    code = "question"


def read_question(
    me: str, them: str, *, recorder: str, purpose: str | None, they_announced: bool, at_ms: int, pack: Pack
) -> Question:
    """Raises QuestionError."""
    asker = Asker(recorder)
    if they_announced and asker is Asker.COMPANY:
        raise QuestionError("--they-announced is for a customer: to a company, the message is its own.")
    if purpose is not None and purpose not in PURPOSES:
        raise QuestionError(f"{one_of(purpose, PURPOSES)}.")
    return Question(
        asker=asker,
        my_places=_places("--me", me, pack),
        their_places=_places("--them", them, pack),
        purpose=_USUAL[asker] if purpose is None else Purpose(purpose),
        they_announced=they_announced,
        at_ms=at_ms,
    )


def _places(option: str, text: str, pack: Pack) -> tuple[Place, ...]:
    if text.strip().startswith("+"):
        return places_of(dialled_form(text, ""))
    code = text.strip().upper()
    if code == "UNKNOWN":
        return UNKNOWN
    if code not in COUNTRIES:
        try:
            code = find_place(pack, text)
        except LawError as error:
            raise QuestionError(
                f"{option}: {error.message} Write a country (DK), a region where law differs by it (US-CA), a phone number"
                " with + in front, or unknown."
            ) from None
    return (Place(code=code, evidence=PlaceEvidence.DECLARED),)


def as_tree(question: Question, opinion: Opinion, words: Advice, pack: Pack) -> dict[str, object]:
    """What `--json` prints."""
    ruling, announced = opinion.ruling, opinion.announcement
    return {
        "answer": opinion.answer.value,
        "only_if": None if opinion.answer is not Answer.ONLY_IF or opinion.step is None else opinion.step.value,
        "headline": _headline(opinion, words),
        "as": question.asker.value,
        "purpose": question.purpose.value,
        "me": _candidates(question.my_places),
        "them": _candidates(question.their_places),
        "law": {
            "my_voice": ruling.my_voice,
            "their_voice": ruling.their_voice,
            "basis": ruling.basis.value if question.asker is Asker.COMPANY else None,
            "owed": [str(action) for action in ruling.actions],
            "legal_review": opinion.legal_review,
        },
        "tallylight": words.house,
        "deciding": None if opinion.deciding is None else _rule(opinion.deciding, pack),
        "because": [_rule(reason, pack) for reason in _each_rule_once(opinion)],
        "steps": list(words.steps),
        "say": _say(question, words),
        "announcement": None
        if announced is None
        else {"needed": announced.needed, "would_suffice": announced.would_suffice, "settled": False}
        | {"text": _announced(opinion, words)},
        "checked": list(opinion.dates),
        "notice": _not_advice(opinion, words),
    }


def as_text(question: Question, opinion: Opinion, words: Advice, pack: Pack) -> list[RenderableType]:
    """What a person reads."""
    parts: list[RenderableType] = [Text(_headline(opinion, words), "bold"), Text(words.house)]
    if opinion.legal_review:
        parts.append(Text(words.legal_review, "yellow"))
    announced = _announced(opinion, words)
    if announced is not None:
        parts.append(Text(announced))
    parts.append(Text(""))
    for number, step in enumerate(words.steps, start=1):
        parts.append(Text(f"{number}. {step}"))
    parts += [Text(""), Text(f"“{_say(question, words)}”", "italic"), Text("")]
    for reason in _each_rule_once(opinion):
        parts += _cited(reason, pack)
    if opinion.ruling.actions:
        parts.append(Text(f"owed: {', '.join(str(action) for action in opinion.ruling.actions)}"))
    parts += [Text(""), Text(_not_advice(opinion, words), "dim")]
    return parts


def _headline(opinion: Opinion, words: Advice) -> str:
    return {
        None: words.no,
        Step.NOTHING: words.yes,
        Step.TOLD: words.only_if_told,
        Step.STAYED: words.only_if_stayed,
        Step.AGREED: words.only_if_agreed,
    }[opinion.step]


def _announced(opinion: Opinion, words: Advice) -> str | None:
    made = opinion.announcement
    if made is None:
        return None
    if not made.needed:
        return words.announcement_unneeded
    return words.announcement_argued if made.would_suffice else words.announcement_short


def _say(question: Question, words: Advice) -> str:
    return words.customer_says if question.asker is Asker.CUSTOMER else words.company_says


def _not_advice(opinion: Opinion, words: Advice) -> str:
    dates = dict.fromkeys((opinion.dates[0], opinion.dates[-1])) if opinion.dates else ("-",)
    return words.not_advice.format(date=" / ".join(dates))


def _each_rule_once(opinion: Opinion) -> list[Reason]:
    """The deciding rule first."""
    first = () if opinion.deciding is None else (opinion.deciding,)
    found: dict[str, Reason] = {}
    for reason in (*first, *opinion.ruling.closing, *opinion.ruling.allowing):
        found.setdefault(reason.rule, reason)
    return list(found.values())


def _candidates(places: Iterable[Place]) -> list[dict[str, object]]:
    return [{"place": place.code, "evidence": place.evidence.value} for place in places]


def _cited(reason: Reason, pack: Pack) -> list[RenderableType]:
    source = _sources(pack).get(reason.rule, "")
    return [
        Text(f"{reason.rule}: {reason.text}"),
        Text(f"    {reason.cite}; {source}; {reason.checked_at or '-'}, {reason.confidence.value}", "dim"),
    ]


def _rule(reason: Reason, pack: Pack) -> dict[str, object]:
    return {
        "rule": reason.rule,
        "cite": reason.cite,
        "source": _sources(pack).get(reason.rule),
        "verdict": reason.verdict.value,
        "text": reason.text,
        "effective_from": reason.effective_from,
        "checked_at": reason.checked_at,
        "confidence": reason.confidence.value,
    }


def _sources(pack: Pack) -> dict[str, str]:
    return {rule.id: rule.source for rule in pack.rules}
