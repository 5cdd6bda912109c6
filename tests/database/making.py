"""What the database's tests write."""

from collections.abc import Callable

from tallylight.database.writer import Transaction
from tallylight.ledger.commitment import JsonValue

PAYLOAD: dict[str, JsonValue] = {"party": "0199b6d2-0000-7000-8000-000000000001", "offset_ms": 12_345}


def note(transaction: Transaction, stream: str, *, content: str = "something happened", occurred_ms: int = 5) -> int:
    """Append one event."""
    return transaction.append(
        stream=stream,
        type="Noted",
        version=1,
        occurred_ms=occurred_ms,
        actor="engine",
        payload={**PAYLOAD, "content": content},
    )


def unit(stream: str, count: int = 1, *, content: str = "something happened") -> Callable[[Transaction], list[int]]:
    """A unit of work that appends `count` events to one stream."""
    return lambda transaction: [note(transaction, stream, content=content) for _ in range(count)]
