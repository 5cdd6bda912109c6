"""What an agent may hear of the conversations that are kept."""

from dataclasses import dataclass, field

import sqlalchemy as sa

from tallylight.catalogue.addresses import comparable, names_nobody
from tallylight.catalogue.queries import ConversationEntry
from tallylight.catalogue.versions import read_settings
from tallylight.ids import PartyId, WorkspaceId
from tallylight.law.vocabulary import Role
from tallylight.policy.listening import Hearing, may_hear
from tallylight.policy.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Listener:
    """An agent, by their canonical address. An address that names nobody was on no conversation."""

    address: str
    _settings: dict[str, Settings] = field(default_factory=dict, repr=False, compare=False)
    """Versions that were read already: most conversations share one."""

    def party_in(self, entry: ConversationEntry) -> PartyId | None:
        """As whom they answered; None where they did not, or nobody can tell any more who did."""
        if names_nobody(self.address):
            return None
        wanted = comparable(self.address)
        for party in entry.parties:
            if party.role is Role.AGENT and party.address is not None and comparable(party.address) == wanted:
                return party.party
        return None

    def hearing(self, connection: sa.Connection, workspace: WorkspaceId, entry: ConversationEntry) -> Hearing:
        """Whether they may hear it, by the settings that are kept with it. Raises CatalogueError where none are."""
        if entry.settings not in self._settings:
            self._settings[entry.settings] = read_settings(connection, workspace, entry.settings)
        return may_hear(self._settings[entry.settings], took_part=self.party_in(entry) is not None)
