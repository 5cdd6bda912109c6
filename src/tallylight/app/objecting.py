"""The standing objections of a data folder."""

from collections.abc import Mapping
from typing import TypeVar

from tallylight.app.store import Store
from tallylight.consent.objection import StandingObjection
from tallylight.database.events import JsonValue
from tallylight.law.iso8601 import iso_utc
from tallylight.rights.objections import Objections
from tallylight.rights.register import Register

Kept = TypeVar("Kept", bound=Register)


def register_of(store: Store, kind: type[Kept]) -> Kept:
    """One of the workspace's registers of people, every project's."""
    return kind(
        workspace=store.workspace,
        engine=store.engine,
        writer=store.writer,
        keys=store.keyring,
        clock=store.clock,
        country=store.configuration.controller.country,
    )


def objections_of(store: Store) -> Objections:
    """Those of its workspace, every project's."""
    return register_of(store, Objections)


def objection_json(objection: StandingObjection) -> Mapping[str, JsonValue]:
    """What the command line prints of one."""
    return {"objection": objection.id, "raised": iso_utc(objection.raised_ms), "evidence": objection.evidence}
