"""What goes wrong between the program and its database."""

from tallylight.errors import TallylightError


class DatabaseError(TallylightError):
    """The database did not do what was asked."""

    code = "database"


class DatabaseUnavailable(DatabaseError):
    """The database cannot be reached or refuses to write; nothing of the unit was committed as far as is known."""

    code = "database_unavailable"


class WriterClosed(DatabaseError):
    """The writer has been closed: the process is going down."""

    code = "writer_closed"


class WriterOverloaded(DatabaseError):
    """More units wait than the writer's bound: the database has stalled."""

    code = "writer_overloaded"


class ReadTooLong(DatabaseError):
    """A read went past its time limit and was stopped, so that erasure can empty the write-ahead log."""

    code = "read_too_long"


class SchemaUnknown(DatabaseError):
    """The database was made by another version of the program."""

    code = "schema_unknown"


class LedgerKeyError(DatabaseError):
    """The ledger's signing key is missing, damaged or readable by others."""

    code = "ledger_key"


class LedgerInvalid(DatabaseError):
    """The stored ledger is not what was signed."""

    code = "ledger_invalid"
