"""What other processes may order of the running server, over its control socket, and what it does by the hour."""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from tallylight.app.erasing import eraser_of, sweep_json, sweeper_of
from tallylight.app.objecting import objection_json
from tallylight.app.standing import agreed_to, standing_yes_json
from tallylight.app.store import Store
from tallylight.catalogue.addresses import canonical_address
from tallylight.consent.standing_yes import StandingYes
from tallylight.conversation.commands import OPERATOR
from tallylight.errors import TallylightError
from tallylight.ids import ConversationId, PartyId, TrackId
from tallylight.ledger.commitment import JsonValue
from tallylight.live.control import Handler
from tallylight.live.runner import ConversationRunner
from tallylight.retention.sweep import Confirmation
from tallylight.rights.objections import Objections
from tallylight.rights.standing_yeses import StandingYeses
from tallylight.telephony.b2bua.switchboard import Switchboard
from tallylight.vault.live_log import LiveLog

logger = logging.getLogger(__name__)

OBEY_S = 10.0
"""How long an erasure waits for the media loop to shut the gates."""


class RunningErasure:
    """The calls of this process obey an erasure. Called on a worker thread; a `retention.LiveErasure`."""

    def __init__(self, switchboard: Switchboard, log: LiveLog, loop: asyncio.AbstractEventLoop) -> None:
        self._switchboard = switchboard
        self._log = log
        self._loop = loop

    def erase(self, parties: Sequence[tuple[ConversationId, PartyId]], tracks: Sequence[TrackId]) -> None:
        async def obey() -> None:
            for runner in self._switchboard.running:
                here = [party for conversation, party in parties if conversation == runner.conversation]
                runner.forget(here, frozenset(tracks))

        asyncio.run_coroutine_threadsafe(obey(), self._loop).result(OBEY_S)
        # Tracks of calls that have ended and are not sealed yet are held by the log alone.
        self._log.release(*tracks)


class Orders:
    """One handler per command. Anything that blocks runs on a worker thread."""

    def __init__(
        self,
        store: Store,
        switchboard: Switchboard,
        log: LiveLog,
        loop: asyncio.AbstractEventLoop,
        objections: Objections,
        standing_yeses: StandingYeses,
    ) -> None:
        self._store = store
        self._switchboard = switchboard
        self._loop = loop
        self._objections = objections
        self._standing_yeses = standing_yeses
        self._eraser = eraser_of(store, RunningErasure(switchboard, log, loop))
        self._sweeper = sweeper_of(store, self._eraser)

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "status": self._status,
            "pause": self._pause,
            "resume": self._resume,
            "customer": self._customer,
            "receipt": self._receipt,
            "attest": self._attest,
            "minor": self._minor,
            "object": self._object,
            "agree": self._agree,
            "take_back": self._take_back,
            "erase": self._erase,
            "sweep": self._sweep,
        }

    async def _status(self, request: Mapping[str, JsonValue]) -> JsonValue:
        return [_status_of(runner) for runner in self._switchboard.running]

    async def _pause(self, request: Mapping[str, JsonValue]) -> JsonValue:
        self._switchboard.pause(_text(request, "conversation"))
        return None

    async def _resume(self, request: Mapping[str, JsonValue]) -> JsonValue:
        self._switchboard.resume(_text(request, "conversation"))
        return None

    async def _customer(self, request: Mapping[str, JsonValue]) -> JsonValue:
        self._switchboard.switch_customer(_text(request, "conversation"), on=request.get("on") is True)
        return None

    async def _receipt(self, request: Mapping[str, JsonValue]) -> JsonValue:
        conversation = _text(request, "conversation")
        if request.get("open") is True:
            self._switchboard.open_receipt(conversation, _text(request, "order"))
        else:
            self._switchboard.close_receipt(conversation)
        return None

    async def _attest(self, request: Mapping[str, JsonValue]) -> JsonValue:
        self._switchboard.attest(_text(request, "conversation"), _text(request, "evidence"))
        return None

    async def _minor(self, request: Mapping[str, JsonValue]) -> JsonValue:
        self._switchboard.know_minor(_text(request, "conversation"))
        return None

    async def _object(self, request: Mapping[str, JsonValue]) -> JsonValue:
        person, evidence = _text(request, "person"), _text(request, "evidence")
        raised = await asyncio.to_thread(self._objections.raise_objection, person, evidence=evidence, actor=OPERATOR)
        self._switchboard.heed(raised, canonical_address(person, country=self._objections.country))
        return dict(objection_json(raised))

    async def _agree(self, request: Mapping[str, JsonValue]) -> JsonValue:
        fields = ("purpose", "until", "text", "language", "evidence")
        said = {name: _text(request, name) for name in fields}
        person = _text(request, "person")

        def agree() -> StandingYes:
            return self._standing_yeses.give(person, agreed_to(self._store, **said), actor=OPERATOR)

        return dict(standing_yes_json(await asyncio.to_thread(agree)))

    async def _take_back(self, request: Mapping[str, JsonValue]) -> JsonValue:
        person, evidence = _text(request, "person"), _text(request, "evidence")
        purpose = None if request.get("purpose") is None else _text(request, "purpose")
        over = await asyncio.to_thread(
            self._standing_yeses.take_back, person, purpose, evidence=evidence, actor=OPERATOR
        )
        self._switchboard.end_standing_yes([standing.id for standing in over])
        return [dict(standing_yes_json(standing)) for standing in over]

    async def _erase(self, request: Mapping[str, JsonValue]) -> JsonValue:
        country = self._store.configuration.controller.country.partition("-")[0]
        person = _text(request, "person")
        outcome = await asyncio.to_thread(self._eraser.erase_person, person, country=country, actor=OPERATOR)
        return {"state": outcome.state.value, "outcome": dict(outcome.to_json()), "found": outcome.found}

    async def _sweep(self, request: Mapping[str, JsonValue]) -> JsonValue:
        confirmed = request.get("confirmed") is True
        report = await asyncio.to_thread(
            self._sweeper.sweep, Confirmation.CONFIRMED if confirmed else Confirmation.NOBODY, actor=OPERATOR
        )
        return dict(sweep_json(report))

    async def sweep_regularly(self, seconds: float) -> None:
        """Erase what is due, now and then for as long as the server runs."""
        while True:
            try:
                await asyncio.to_thread(self._sweeper.sweep)
            except TallylightError as error:
                logger.error("a sweep did not finish: %s", error.message)
            except Exception:
                logger.exception("a sweep failed")
            await asyncio.sleep(seconds)


def _status_of(runner: ConversationRunner) -> JsonValue:
    decision = runner.state.decision
    talked = runner.tracks.talked_ms()
    parties: list[JsonValue] = []
    for party, lamp in runner.lamps().items():
        ruling = decision.ruling(party) if decision is not None else None
        parties.append(
            {
                "party": party,
                "role": runner.state.parties[party].role.value,
                "present": runner.state.parties[party].present,
                "lamp": lamp.value,
                "reason": ruling.deciding.text if ruling is not None else "",
                "talked_ms": talked.get(party, 0),
                "stored_ms": runner.tracks.stored_ms(party),
            }
        )
    return {
        "conversation": runner.conversation,
        "started_ms": runner.started_ms,
        "offset_ms": runner.offset_ms(),
        "ended": runner.ended,
        "trial": runner.settings.trial,
        "parties": parties,
        "durable_ms": dict(runner.tracks.durable_ms().items()),
    }


def _text(request: Mapping[str, JsonValue], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str):
        raise TallylightError(f"The command needs {name!r}, a text.", code="bad_request")
    return value
