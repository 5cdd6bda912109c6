"""Voice receipts as tracks: what is said goes where it belongs, and what takes whose place is really gone."""

import dataclasses

import pytest

from tallylight.catalogue.queries import read_conversation
from tallylight.catalogue.versions import keep_settings
from tallylight.conversation.commands import (
    CloseReceipt,
    Command,
    GiveNotice,
    HearQuestion,
    OpenReceipt,
    RefuseConsent,
    RequestConsent,
    SwitchCustomer,
    WithdrawConsent,
)
from tallylight.database.engine import read_only
from tallylight.ids import PartyId
from tallylight.law.vocabulary import LawfulBasis, Method, Mode, ProjectKind, Purpose, Role
from tallylight.policy.decision import Lamp
from tallylight.vault.tables import read_epochs
from tests.live.conftest import House, Talk

QUALITY, RECEIPT, PROOF = Purpose.QUALITY_ASSURANCE, Purpose.VOICE_RECEIPT, Purpose.PROOF_OF_CONSENT


class Sale:
    """A call of an outbound project, an agent on it from its start."""

    def __init__(self, house: House, mode: Mode, **changes: object) -> None:
        outbound = dataclasses.replace(
            house.settings, kind=ProjectKind.OUTBOUND, mode=mode, necessity="Orders are made aloud."
        )
        house.settings = dataclasses.replace(outbound, **changes)  # type: ignore[arg-type]
        house.store.writer.submit(
            lambda transaction: keep_settings(transaction.connection, house.store.workspace, house.settings)
        ).result()
        self.talk = Talk(house)
        self.agent = self.talk.join(Role.AGENT, "sip:agent@127.0.0.1")
        self.told(*([house.settings.purpose] if mode is Mode.BOTH else []))

    def do(self, command: Command) -> None:
        assert self.talk.runner.command(command) is None
        self.talk.house.settle()

    @property
    def now_ms(self) -> int:
        return self.talk.runner.offset_ms()

    def told(self, *purposes: Purpose) -> None:
        self.do(
            GiveNotice(
                party=self.talk.customer,
                notice="0" * 64,
                text="We record.",
                language="en",
                purposes=frozenset(purposes),
                offset_ms=self.now_ms,
            )
        )

    def asked(self, purpose: Purpose) -> None:
        self.told(purpose)
        customer, purposes = self.talk.customer, frozenset({purpose})
        self.do(RequestConsent(party=customer, purposes=purposes, notice="1" * 64, offset_ms=self.now_ms))
        self.do(HearQuestion(party=customer, offset_ms=self.now_ms))

    def agreed(self, purpose: Purpose) -> None:
        self.asked(purpose)
        self.talk.say_yes()
        self.talk.house.settle()

    def opens(self, order: str = "") -> None:
        self.do(OpenReceipt(by=self.agent, order=order, offset_ms=self.now_ms))

    def closes(self) -> None:
        self.do(CloseReceipt(by=self.agent, offset_ms=self.now_ms))

    def speak(self, ms: int) -> None:
        """Both, one packet each at a time."""
        for _ in range(ms // 20):
            start = self.now_ms
            self.talk.house.clock.advance(0.02)
            for party in (self.talk.customer, self.agent):
                self.talk.runner.tracks.capture(party).accept(start, 20, 0, b"\x20" * 160)

    def lamps(self) -> tuple[Lamp, Lamp]:
        """The customer's and the agent's, as they burn."""
        lamps = self.talk.runner.lamps()
        return lamps[self.talk.customer], lamps[self.agent]

    def stored(self, party: PartyId) -> list[tuple[Purpose, str, int]]:
        """Of each track: purpose, state, stored ms; the talk first, then receipts as they came, then proofs."""
        store = self.talk.house.store
        with read_only(store.engine) as connection:
            entry = read_conversation(
                connection,
                workspace=store.workspace,
                keys=store.keyring,
                conversation=self.talk.runner.conversation,
            )
            tracks = next(each for each in entry.parties if each.party == party).tracks
            for track in tracks:
                keys = read_epochs(connection, track.track, workspace=store.workspace)
                assert bool(keys) == (track.state != "erased")
        tracks = tuple(sorted(tracks, key=lambda track: (QUALITY, RECEIPT, PROOF).index(track.purpose)))
        return [(track.purpose, track.state, track.stored_ms) for track in tracks]


ON, OFF = Lamp.RECORDING, Lamp.OFF


def test_the_customer_is_stored_within_the_receipt_alone(house: House) -> None:
    sale = Sale(house, Mode.VOICE_RECEIPTS)
    sale.speak(1000)
    assert sale.lamps() == (OFF, ON)
    sale.opens()
    sale.speak(400)
    assert sale.lamps() == (OFF, ON)
    sale.agreed(RECEIPT)
    assert sale.lamps() == (ON, ON)
    sale.speak(2000)
    sale.closes()
    assert sale.lamps() == (OFF, ON)
    sale.speak(3000)
    sale.talk.end()
    assert sale.stored(sale.talk.customer) == [(RECEIPT, "sealed", 2000), (PROOF, "sealed", 2000)]
    assert sale.stored(sale.agent) == [(QUALITY, "sealed", 4000), (RECEIPT, "sealed", 2400)]


def test_the_agent_switches_the_customer_on_and_off(house: House) -> None:
    sale = Sale(house, Mode.AGENT_ONLY_ALLOW_CUSTOMER)
    sale.speak(1000)
    sale.do(SwitchCustomer(by=sale.agent, on=True, offset_ms=sale.now_ms))
    sale.speak(1000)
    assert sale.lamps() == (OFF, ON)
    sale.agreed(QUALITY)
    sale.speak(1000)
    sale.do(SwitchCustomer(by=sale.agent, on=False, offset_ms=sale.now_ms))
    sale.speak(1000)
    assert sale.lamps() == (OFF, ON)
    sale.do(SwitchCustomer(by=sale.agent, on=True, offset_ms=sale.now_ms))
    sale.speak(500)
    sale.talk.end()
    assert sale.stored(sale.talk.customer) == [(QUALITY, "sealed", 1500), (PROOF, "sealed", 1000)]
    assert sale.stored(sale.agent) == [(QUALITY, "sealed", 4500)]


@pytest.mark.parametrize("several", [False, True])
def test_a_later_receipt_of_the_same_order_takes_the_place_of_the_earlier(house: House, several: bool) -> None:
    sale = Sale(house, Mode.VOICE_RECEIPTS, several_receipts=several)
    for order, ms in (("A1", 1000), ("A2", 1200), ("A1", 1400)):
        sale.opens(order)
        if order == "A1" and ms == 1000:
            sale.agreed(RECEIPT)
        sale.speak(ms)
        sale.closes()
    sale.talk.end()
    first = (RECEIPT, "sealed", 1000) if several else (RECEIPT, "erased", 0)
    later = [(RECEIPT, "sealed", 1200), (RECEIPT, "sealed", 1400)]
    of_customer = [each for each in sale.stored(sale.talk.customer) if each[0] is RECEIPT]
    assert of_customer == [first, *later]
    assert [each for each in sale.stored(sale.agent) if each[0] is RECEIPT] == [first, *later]


def test_in_mode_both_a_receipt_has_its_own_track_and_its_own_yes(house: House) -> None:
    sale = Sale(house, Mode.BOTH)
    sale.agreed(QUALITY)
    sale.speak(1000)
    sale.opens()
    sale.speak(500)
    sale.agreed(RECEIPT)
    sale.speak(700)
    sale.closes()
    sale.speak(900)
    sale.talk.end()
    assert [each for each in sale.stored(sale.talk.customer) if each[0] is not PROOF] == [
        (QUALITY, "sealed", 1900),
        (RECEIPT, "sealed", 700),
    ]
    assert [each[0] for each in sale.stored(sale.talk.customer)].count(PROOF) == 2


def test_a_no_to_a_receipt_leaves_what_was_agreed_to_and_a_withdrawal_takes_it(house: House) -> None:
    for withdraws in (False, True):
        sale = Sale(house, Mode.BOTH)
        customer = sale.talk.customer
        sale.agreed(QUALITY)
        sale.speak(1000)
        sale.opens()
        sale.asked(RECEIPT)
        sale.do(RefuseConsent(party=customer, method=Method.DIGIT, evidence="digit 2", offset_ms=sale.now_ms))
        sale.closes()
        sale.speak(500)
        assert sale.lamps() == (OFF, ON)
        if withdraws:
            sale.do(WithdrawConsent(party=customer, method=Method.DIGIT, evidence="*2", offset_ms=sale.now_ms))
        sale.talk.end()
        talk = next(each for each in sale.stored(customer) if each[0] is QUALITY)
        assert talk == ((QUALITY, "erased", 0) if withdraws else (QUALITY, "sealed", 1000))


@pytest.mark.parametrize("basis", [LawfulBasis.CONSENT, LawfulBasis.CONTRACT])
def test_a_withdrawal_takes_the_receipts_that_rest_on_consent(house: House, basis: LawfulBasis) -> None:
    sale = Sale(house, Mode.BOTH, receipt_basis=basis)
    sale.agreed(QUALITY)
    sale.opens()
    if basis is LawfulBasis.CONSENT:
        sale.agreed(RECEIPT)
    else:
        sale.told(RECEIPT)
    sale.speak(1000)
    sale.closes()
    customer = sale.talk.customer
    sale.do(WithdrawConsent(party=customer, method=Method.DIGIT, evidence="*2", offset_ms=sale.now_ms))
    sale.speak(1000)
    sale.talk.end()
    receipt = next(each for each in sale.stored(customer) if each[0] is RECEIPT)
    assert receipt == ((RECEIPT, "erased", 0) if basis is LawfulBasis.CONSENT else (RECEIPT, "sealed", 1000))
