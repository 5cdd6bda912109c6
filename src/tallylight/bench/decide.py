"""`tallylight bench decide`: what one decision costs, against the number of people and of places they may be in."""

import dataclasses
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tallylight.bench.figures import Figure, Findings, median_figure
from tallylight.consent.answer import Consent, ConsentState
from tallylight.ids import PartyId
from tallylight.law.pack import default_files, default_pack, load
from tallylight.law.vocabulary import Channel, Direction, LawfulBasis, Method, Mode, Purpose, Role
from tallylight.policy.decide import decide
from tallylight.policy.settings import Settings
from tallylight.policy.situation import PartySituation, Place, PlaceEvidence, Situation
from tallylight.policy.unchanged import still_holds

_AT_MS = 1_790_000_000_000
_PLACES = ("DK", "DE", "US-CA", "US-WA", "FR", "US-IL", "GB", "US-TX")


@dataclass(frozen=True, kw_only=True)
class DecideLoad:
    """How much is measured."""

    decisions: int = 5_000
    repeats: int = 5


def decide_bench(load_: DecideLoad) -> Findings:
    """Whole decisions with their reasons and hashes, the unchanged situation, and reading the law."""
    files = default_files()
    reading = [_seconds(lambda: load(files)) * 1000 for _ in range(load_.repeats)]
    figures: list[Figure] = [
        _rate("full decisions, customer and agent", load_, _situation(2, 1), at_least=10_000),
        _unchanged(load_),
        median_figure("reading every pack", reading, "ms", at_most=150),
    ]
    figures += [_rate(f"full decisions, {people} people", load_, _situation(people, 1)) for people in (3, 5, 10)]
    figures += [
        _rate(f"full decisions, {places} candidate places each", load_, _situation(2, places)) for places in (2, 4, 8)
    ]
    figures.append(Figure(name="memory of the process, at most so far", value=_memory_mb(), unit="MB", at_most=60))
    method = (
        f"Each of {load_.repeats} repetitions decides {load_.decisions} situations in the house profile on one core:"
        " every lamp with its reasons, actions and the hash of the situation; processor time counts.",
        "No two situations are the same instant, so none is answered from memory.",
        "Unchanged: the same situation some milliseconds later, compared with the one decided before.",
    )
    return Findings(benchmark="decide", method=method, figures=figures)


def _memory_mb() -> float:
    """The largest the process has been: resident, in MiB. Linux counts it in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _seconds(act: Callable[[], object]) -> float:
    start = time.process_time()
    act()
    return time.process_time() - start


def _rate(name: str, load_: DecideLoad, situation: Situation, at_least: int | None = None) -> Figure:
    pack = default_pack()
    later = _later(situation, load_.decisions)

    def act() -> None:
        for now in later:
            decide(now, pack)

    return median_figure(name, _rates(load_, act), "/s", at_least=at_least)


def _unchanged(load_: DecideLoad) -> Figure:
    first, *later = _later(_situation(2, 1), load_.decisions + 1)

    def act() -> None:
        for now in later:
            still_holds(first, now)

    return median_figure("unchanged situations, customer and agent", _rates(load_, act), "/s", at_least=100_000)


def _rates(load_: DecideLoad, act: Callable[[], None]) -> list[float]:
    act()
    return [load_.decisions / max(_seconds(act), 1e-9) for _ in range(load_.repeats)]


def _later(situation: Situation, count: int) -> Sequence[Situation]:
    """The same situation, a millisecond later each, with people of its own as a live call makes them."""
    return [
        dataclasses.replace(
            situation,
            at_ms=situation.at_ms + index,
            parties=tuple(dataclasses.replace(party) for party in situation.parties),
        )
        for index in range(count)
    ]


def _situation(people: int, places: int) -> Situation:
    candidates = tuple(Place(code=code, evidence=PlaceEvidence.DECLARED) for code in _PLACES[:places])
    yes = Consent(
        state=ConsentState.GIVEN,
        purposes=frozenset({Purpose.QUALITY_ASSURANCE}),
        method=Method.DIGIT,
        notice="0" * 64,
        evidence="digit 1",
        question_heard=True,
        at_ms=_AT_MS - 1,
    )
    agent = PartySituation(
        party=PartyId("agent"),
        role=Role.AGENT,
        places=candidates,
        basis=LawfulBasis.CONTRACT,
        employee_notice=True,
    )
    customers = [
        PartySituation(
            party=PartyId(f"customer {number}"),
            role=Role.CUSTOMER,
            places=candidates,
            basis=LawfulBasis.CONSENT,
            notice_heard=True,
            consent=yes,
        )
        for number in range(people - 1)
    ]
    settings = Settings(
        project="bench",
        controller="Example Ltd",
        country="DK",
        policy_address="example.com/privacy",
        language="en",
        mode=Mode.BOTH,
        purpose=Purpose.QUALITY_ASSURANCE,
        customer_basis=LawfulBasis.CONSENT,
        terms_acknowledged_by="bench",
    )
    return Situation(
        at_ms=_AT_MS,
        channel=Channel.PHONE,
        direction=Direction.INBOUND,
        settings=settings,
        parties=(*customers, agent),
    )
