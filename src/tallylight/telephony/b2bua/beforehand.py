"""What a caller agreed to before they called: looked up while they are answered, and relied on instead of asking them."""

import asyncio
import logging
from collections.abc import Collection

from tallylight.consent.standing_yes import StandingYes, evidence_of
from tallylight.conversation.commands import OPERATOR, RelyOnStandingYes, WithdrawConsent
from tallylight.ids import PartyId
from tallylight.law.vocabulary import Method
from tallylight.live.runner import ConversationRunner
from tallylight.telephony.b2bua.desk import Desk

logger = logging.getLogger(__name__)

LOOKUP_S = 2.0
"""How long the announcement waits to hear whether the caller has said yes in advance; after that they are asked."""


class Beforehand:
    """One caller's standing yes, as far as this call rests on it."""

    def __init__(self, desk: Desk, runner: ConversationRunner, customer: PartyId, address: str) -> None:
        """`address`: the caller's canonical one."""
        self._runner = runner
        self._customer = customer
        loop = asyncio.get_running_loop()
        self._lookup = loop.create_task(desk.standing_yes_of(address, runner.settings))
        self._until_s = loop.time() + LOOKUP_S
        self._over: set[str] = set()
        """Those that have ended since the call began."""
        self._relied_on: StandingYes | None = None

    async def rely(self) -> None:
        """Let the call rest on it, where there is one; where it cannot be looked up, there is none."""
        left_s = self._until_s - asyncio.get_running_loop().time()
        done, _ = await asyncio.wait({self._lookup}, timeout=max(0.0, left_s))
        if not done:
            logger.warning("standing yeses could not be looked up in time: the caller is asked")
            return
        if (error := self._lookup.exception()) is not None:
            logger.error("standing yeses could not be looked up: the caller is asked", exc_info=error)
            return
        standing, runner = self._lookup.result(), self._runner
        if standing is None or standing.id in self._over:
            return
        rely = RelyOnStandingYes(party=self._customer, standing=standing, offset_ms=runner.offset_ms())
        refusal = runner.command(rely, actor=self._customer)
        if refusal is None:
            self._relied_on = standing
        else:
            logger.info("a standing yes was refused: %s", refusal.code)

    def end(self, over: Collection[str]) -> None:
        """These were taken back: what rests on one of them ends now (Art. 7(3) GDPR)."""
        self._over.update(over)
        if self._relied_on is not None and self._relied_on.id in self._over:
            back = WithdrawConsent(
                party=self._customer,
                method=Method.WRITTEN,
                evidence=f"{evidence_of(self._relied_on)} taken back",
                offset_ms=self._runner.offset_ms(),
            )
            self._runner.command(back, actor=OPERATOR)
            self._relied_on = None

    def close(self) -> None:
        """The call is over."""
        self._lookup.cancel()
