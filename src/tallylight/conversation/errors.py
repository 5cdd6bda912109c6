"""What can be wrong with a history of events."""

from tallylight.errors import TallylightError


class ConversationError(TallylightError):
    """Events or commands do not fit the conversation they are said to belong to; the message says how."""

    code = "conversation_invalid"


class CodecError(ConversationError):
    """A stored event cannot be read; the message names type, version and field."""

    code = "event_unreadable"
