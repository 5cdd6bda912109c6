"""What every conversation of this process shares."""

from collections.abc import Callable
from dataclasses import dataclass

from tallylight.catalogue.projections import Chronicle
from tallylight.clock import Clock
from tallylight.database.writer import Writer
from tallylight.health.alarms import Alarms
from tallylight.live.work import SaidNo
from tallylight.vault.keys import KeyRing
from tallylight.vault.live_log import LiveLog


@dataclass(frozen=True, kw_only=True)
class LiveServices:
    """The rooms below, joined once by the composition root."""

    clock: Clock
    writer: Writer
    keyring: KeyRing
    log: LiveLog
    chronicle: Chronicle
    alarms: Alarms
    post: Callable[[Callable[[], None]], None]
    """Run a callable on the media loop, from any thread."""
    said_no: SaidNo = lambda transaction, address: None
