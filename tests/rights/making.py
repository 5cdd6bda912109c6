"""What people have said for later conversations, over a whole house."""

import hashlib

from tallylight.consent.standing_yes import StandingYes
from tallylight.ids import new_id
from tallylight.rights.objections import Objections
from tallylight.rights.standing_yeses import StandingYeses
from tests.catalogue.house import House

TEXT = "You record and store my calls."
DAY_MS = 86_400_000


def standing_yeses(house: House) -> StandingYeses:
    return StandingYeses(
        workspace=house.workspace,
        engine=house.engine,
        writer=house.writer,
        keys=house.keys,
        clock=house.clock,
        country="DK",
    )


def objections(house: House) -> Objections:
    return Objections(
        workspace=house.workspace,
        engine=house.engine,
        writer=house.writer,
        keys=house.keys,
        clock=house.clock,
        country="DK",
    )


def give(house: House, person: str, purpose: str = "quality_assurance", days: int = 100) -> StandingYes:
    """Each a moment after the last: they are listed in this order."""
    house.clock.advance(0.001)
    now_ms = house.clock.wall_ms()
    standing = StandingYes(
        id=new_id(now_ms),
        purpose=purpose,
        given_ms=now_ms,
        expires_ms=now_ms + days * DAY_MS,
        evidence="form signed at the counter",
        notice=hashlib.sha256(TEXT.encode()).hexdigest(),
        text=TEXT,
        language="en",
    )
    return standing_yeses(house).give(person, standing, actor="operator")
