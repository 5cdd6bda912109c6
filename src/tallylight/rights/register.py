"""What every register of people needs: each is one workspace's, all projects together, and names nobody."""

from dataclasses import dataclass

import sqlalchemy as sa

from tallylight.clock import Clock
from tallylight.database.writer import Writer
from tallylight.ids import WorkspaceId
from tallylight.vault.keys import KeyRing

COMMIT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Register:
    """People are found in it by a keyed hash of their address alone."""

    workspace: WorkspaceId
    engine: sa.Engine
    writer: Writer
    keys: KeyRing
    clock: Clock
    country: str
    """Numbers are read as in this country: ISO 3166-1, with or without a region."""
