"""What can go wrong when conversations are listed, explained and played."""

from tallylight.errors import TallylightError


class CatalogueError(TallylightError):
    """Any failure of the catalogue."""

    code = "catalogue"


class ConversationUnknownError(CatalogueError):
    """There is no conversation of this id: take one from `recordings list`."""

    code = "conversation_unknown"


class PartyUnknownError(CatalogueError):
    """The conversation has no such party, or the role fits several: give a party id from `recordings list`."""

    code = "party_unknown"


class NotForAgentError(CatalogueError):
    """This agent may not hear the conversation: the message says why."""

    code = "not_for_agent"


class NothingStoredError(CatalogueError):
    """Nothing of this party is stored: there is nothing to play."""

    code = "nothing_stored"


class PackUnknownError(CatalogueError):
    """No law pack is kept under this hash, or several are: take one from `law packs`."""

    code = "pack_unknown"


class FenceLostError(CatalogueError):
    """Another node owns the conversation now: this one must stop writing to it."""

    code = "fence_lost"


class TrackGoneError(CatalogueError):
    """The track has been erased: nothing may be stored of it any more."""

    code = "track_gone"


class NoReceiptError(CatalogueError):
    """Nobody asked this party for consent, or how they answered is erased: there is nothing to give a receipt for."""

    code = "no_receipt"
