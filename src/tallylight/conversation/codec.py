"""Events as they are stored: type name, version and a JSON object. Older versions are brought up to date on reading.

Beside the object of a decision stand its reasonings, by their hash: the catalogue keeps each once.
"""

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Hashable, Iterable, Mapping
from enum import Enum
from typing import cast

from tallylight.conversation.errors import CodecError
from tallylight.conversation.events import Event, LampsChanged
from tallylight.conversation.reasoning import FindReasoning, JsonValue, condense, expand

__all__ = ["EVENT_TYPES", "UPCASTERS", "VERSIONS", "CodecError", "JsonValue", "StoredEvent", "decode", "encode"]

Upcaster = Callable[[dict[str, JsonValue]], dict[str, JsonValue]]
"""Turns the payload of one version into the payload of the next."""

EVENT_TYPES: Mapping[str, type[Event]] = {kind.__name__: kind for kind in typing.get_args(Event)}
"""The stored name of each event. A class that is renamed keeps its old name here."""

VERSIONS: Mapping[str, int] = {
    **dict.fromkeys(EVENT_TYPES, 1),
    "ConsentGiven": 2,
    "ConsentRequested": 2,
    "ConsentUnanswered": 2,
    "NoticeGiven": 2,
    "TrackOpened": 2,
}
"""The version each event is written in."""

UPCASTERS: Mapping[tuple[str, int], Upcaster] = {
    ("ConsentGiven", 1): lambda payload: {**payload, "standing": None},
    ("ConsentRequested", 1): lambda payload: {**payload, "text": None, "language": None},
    ("ConsentUnanswered", 1): lambda payload: {**payload, "method": None, "evidence": ""},
    ("NoticeGiven", 1): lambda payload: {**payload, "purposes": None},
    ("TrackOpened", 1): lambda payload: {**payload, "floor_ms": None, "receipt": None},
}
"""By type name and the version they read."""

_TYPE_NAMES = {kind: name for name, kind in EVENT_TYPES.items()}


def _nowhere(reasoning: str) -> str:
    raise CodecError(f"Reasoning {reasoning[:12]} is kept beside the events and was not given.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class StoredEvent:
    """What goes into the event table."""

    type: str
    version: int
    payload: dict[str, JsonValue]
    reasonings: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """What is to be kept for `payload` to be read again: contents by their SHA-256."""


def encode(event: Event) -> StoredEvent:
    """The stored form: enums by value, sets sorted, nested dataclasses as objects."""
    name = _TYPE_NAMES[type(event)]
    if isinstance(event, LampsChanged):
        return _encode_decision(name, event)
    return StoredEvent(type=name, version=VERSIONS[name], payload=cast("dict[str, JsonValue]", _to_json(event)))


def decode(
    name: str,
    version: int,
    payload: Mapping[str, JsonValue],
    *,
    reasonings: FindReasoning = _nowhere,
    upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS,
    versions: Mapping[str, int] = VERSIONS,
) -> Event:
    """The event of a stored row, its decision's reasonings looked up in `reasonings`.

    Raises CodecError for an unknown type or version, or a payload or reasoning that does not fit.
    """
    kind = EVENT_TYPES.get(name)
    if kind is None or version > versions[name]:
        raise CodecError(f"{name} version {version} was written by a newer Tallylight: upgrade to read it.")
    current = dict(payload)
    for old in range(version, versions[name]):
        upcaster = upcasters.get((name, old))
        if upcaster is None:
            raise CodecError(f"{name} version {old} cannot be read any more: read it with the version that wrote it.")
        current = upcaster(current)
    try:
        if kind is LampsChanged:
            current = _whole_decision(current, reasonings)
        return cast("Event", _reader(cast("Hashable", kind))(current))
    except (KeyError, TypeError, ValueError) as error:
        raise CodecError(f"{name} version {version} does not fit its form: {error}.") from None


def _encode_decision(name: str, event: LampsChanged) -> StoredEvent:
    decision = event.decision
    rulings: list[JsonValue] = []
    reasonings: dict[str, str] = {}
    for ruling in decision.rulings:
        stored, reasoning, content = condense(ruling)
        rulings.append(stored)
        reasonings[reasoning] = content
    payload: dict[str, JsonValue] = {
        "decision_id": event.decision_id,
        "decision": {
            "rulings": rulings,
            "pack": decision.pack,
            "settings": decision.settings,
            "situation": decision.situation,
            "profile": str(decision.profile),
        },
        "offset_ms": event.offset_ms,
    }
    return StoredEvent(type=name, version=VERSIONS[name], payload=payload, reasonings=reasonings)


def _whole_decision(payload: dict[str, JsonValue], find: FindReasoning) -> dict[str, JsonValue]:
    decision = payload["decision"]
    if not isinstance(decision, dict) or not isinstance(decision["rulings"], list):
        raise TypeError("a decision is an object with a list of rulings")
    rulings: list[JsonValue] = []
    for stored in decision["rulings"]:
        if not isinstance(stored, dict) or stored.keys() != _STORED_RULING:
            raise TypeError(f"a stored ruling has the fields {', '.join(sorted(_STORED_RULING))}")
        rulings.append(expand(stored, find))
    return {**payload, "decision": {**decision, "rulings": rulings}}


_STORED_RULING = frozenset({"lamp", "party", "reasoning", "rule"})


def _to_json(value: object) -> JsonValue:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Enum):
        return cast("str", value.value)
    if isinstance(value, str):
        return value
    if isinstance(value, frozenset):
        return sorted((_to_json(item) for item in value), key=str)
    if isinstance(value, tuple):
        return [_to_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _to_json(item) for key, item in value.items()}
    return {name: _to_json(getattr(value, name)) for name in _field_names(cast("Hashable", type(value)))}


@functools.cache
def _field_names(kind: Hashable) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(cast("type[Event]", kind)))


Reader = Callable[[object], object]


@functools.cache
def _reader(hint: Hashable) -> Reader:
    """How a value of one annotated type is read back."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, typing.NewType):
        return _reader(hint.__supertype__)
    if origin in (types.UnionType, typing.Union):
        return _optional(arguments)
    if origin is frozenset:
        return _items(arguments[0], frozenset)
    if origin is tuple:
        return _items(arguments[0], tuple)
    if origin is dict:
        return _values(arguments[1])
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _record(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return lambda value: hint(value)
    if hint is bool or hint is int or hint is str:
        return _plain(cast("type", hint))
    raise TypeError(f"no reader for {hint!r}")


def _plain(kind: type) -> Reader:
    def read(value: object) -> object:
        if type(value) is not kind:
            raise TypeError(f"{value!r} is no {kind.__name__}")
        return value

    return read


def _optional(arguments: tuple[object, ...]) -> Reader:
    """`X | None`, or names of one and the same kind (`PartyId | str`)."""
    nullable = type(None) in arguments
    (reader,) = {_reader(_bare(argument)) for argument in arguments if argument is not type(None)}
    return lambda value: None if nullable and value is None else reader(value)


def _bare(hint: object) -> object:
    return _bare(hint.__supertype__) if isinstance(hint, typing.NewType) else hint


def _items(hint: object, collection: Callable[[Iterable[object]], object]) -> Reader:
    item = _reader(hint)

    def read(value: object) -> object:
        if not isinstance(value, list):
            raise TypeError(f"{value!r} is no list")
        return collection(item(each) for each in value)

    return read


def _values(hint: object) -> Reader:
    item = _reader(hint)

    def read(value: object) -> object:
        if not isinstance(value, dict):
            raise TypeError(f"{value!r} is no object")
        return {key: item(each) for key, each in value.items()}

    return read


def _record(kind: type) -> Reader:
    hints = typing.get_type_hints(kind)
    fields = {name: _reader(hints[name]) for name in _field_names(kind)}

    def read(value: object) -> object:
        if not isinstance(value, dict) or value.keys() != fields.keys():
            raise TypeError(f"{kind.__name__} has the fields {', '.join(fields)}")
        return kind(**{name: reader(value[name]) for name, reader in fields.items()})

    return read
