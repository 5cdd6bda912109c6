"""The eraser and the sweeper of a data folder, beside a running server or without one."""

from collections.abc import Mapping

from tallylight.app.store import Store
from tallylight.catalogue.copies import LiveLogCopies, ObjectCopies
from tallylight.database.events import JsonValue
from tallylight.retention.erasure import Eraser, LiveErasure
from tallylight.retention.search import RawSearch
from tallylight.retention.sweep import Sweeper, SweepReport


def eraser_of(store: Store, live: LiveErasure) -> Eraser:
    """Erases in this folder; running calls obey through `live`."""
    return Eraser(
        workspace=store.workspace,
        engine=store.engine,
        writer=store.writer,
        keys=store.keyring,
        clock=store.clock,
        holders=(ObjectCopies(store.objects), LiveLogCopies(store.live_folder)),
        live=live,
        evidence=RawSearch(store.engine, logs=lambda: sorted(store.log_folder.glob("*"))),
        signer=store.ledger_key,
    )


def sweeper_of(store: Store, eraser: Eraser) -> Sweeper:
    """Erases what is due. One per process: it watches the clock from its making on."""
    return Sweeper(
        workspace=store.workspace,
        engine=store.engine,
        eraser=eraser,
        clock=store.clock,
        alarms=store.alarms,
        metrics=store.metrics,
    )


def sweep_json(report: SweepReport) -> Mapping[str, JsonValue]:
    """What `tallylight retention sweep --json` prints."""
    return {
        "state": report.state.value,
        "due": report.due,
        "stored": report.stored,
        "conversations": report.conversations,
        "standing_yeses": report.standing_yeses,
        "reason": report.reason,
        "outcome": dict(report.outcome.to_json()) if report.outcome is not None else None,
    }
