"""What conversations have kept: settings as they were, and law packs found by the beginning of their hash."""

import dataclasses

import pytest
import sqlalchemy as sa

from tallylight.catalogue.errors import PackUnknownError
from tallylight.catalogue.tables import pack_version
from tallylight.catalogue.versions import (
    KeptPack,
    KeptSettings,
    find_pack,
    keep_pack,
    keep_settings,
    list_packs,
    list_settings,
    read_settings,
)
from tallylight.consent.purposes import OwnPurpose
from tallylight.database.engine import read_only
from tallylight.law.pack import Pack, default_files, load
from tallylight.law.vocabulary import Conference, LawfulBasis, ProjectKind, Purpose, Sector
from tests.catalogue.house import MIFID, NOBODY, SHIPPED, WITH_GROUND, Call, House
from tests.catalogue.house import SETTINGS as USUAL
from tests.policy.making import SETTINGS

OTHER = {**default_files(), "dk.toml": default_files()["dk.toml"] + b"\n# read again\n"}


def found(house: House, prefix: str) -> Pack:
    with read_only(house.engine) as connection:
        return find_pack(connection, house.workspace, prefix)


def test_every_pack_is_listed_with_its_conversations(each_house: House) -> None:
    other = load(OTHER)
    each_house.commit(lambda transaction: keep_pack(transaction.connection, each_house.workspace, OTHER))
    starts = []
    for _ in range(2):
        starts.append(Call(each_house).started_ms)
        each_house.clock.advance(1)
    with read_only(each_house.engine) as connection:
        packs = list_packs(connection, each_house.workspace)
    assert packs == (
        KeptPack(hash=SHIPPED.hash, conversations=2, first_ms=starts[0], last_ms=starts[1]),
        KeptPack(hash=other.hash, conversations=0, first_ms=None, last_ms=None),
    )


@pytest.mark.parametrize("length", [8, 12, 63, 64])
def test_a_pack_is_found_by_how_its_hash_begins(house: House, length: int) -> None:
    other = load(OTHER)
    house.commit(lambda transaction: keep_pack(transaction.connection, house.workspace, OTHER))
    for pack in (SHIPPED, other):
        assert found(house, pack.hash[:length]) == pack
        assert found(house, pack.hash[:length].upper()) == pack


def test_a_hash_that_names_no_pack_or_several_names_those_there_are(house: House) -> None:
    twins = [f"0123456789{end}" for end in ("ab" * 27, "cd" * 27)]
    rows = [{"workspace": house.workspace, "hash": each, "content": "{}"} for each in twins]
    house.commit(lambda transaction: transaction.connection.execute(sa.insert(pack_version), rows).rowcount)
    everything = ", ".join(sorted([*twins, SHIPPED.hash]))
    for prefix, message in (
        ("0123456", f"0123456 is too short to name a law pack: give at least 8 hex digits.* Kept: {everything}."),
        ("ffffffff", f"No law pack ffffffff is kept here. Kept: {everything}."),
        ("01234567", f"Several law packs begin with 01234567: give more.* Kept: {', '.join(twins)}."),
    ):
        with pytest.raises(PackUnknownError, match=message):
            found(house, prefix)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sector": Sector.INVESTMENT_SERVICES, "kind": ProjectKind.OUTBOUND, "conference": Conference.NONE},
        {"receipt_basis": LawfulBasis.CONTRACT, "receipt_months": 60, "several_receipts": True},
        {
            "purpose": Purpose.TRAINING,
            "own_purpose": OwnPurpose(
                name="coaching", words={"en": "to coach"}, term="HumanResourceManagement", judged_as=Purpose.TRAINING
            ),
            "wording": "ab" * 32,
        },
    ],
)
def test_settings_come_back_as_they_were_kept(house: House, changes: dict[str, object]) -> None:
    settings = dataclasses.replace(SETTINGS, **changes)  # type: ignore[arg-type]
    house.commit(lambda transaction: keep_settings(transaction.connection, house.workspace, settings))
    with read_only(house.engine) as connection:
        read = read_settings(connection, house.workspace, settings.version)
    assert read == settings
    assert (type(read.sector), type(read.kind)) == (type(settings.sector), ProjectKind)


def test_a_field_that_came_later_and_has_its_default_changes_no_version() -> None:
    assert dataclasses.replace(SETTINGS, conference=Conference.ALL, sector=None).version == SETTINGS.version
    assert dataclasses.replace(SETTINGS, conference=Conference.NONE).version != SETTINGS.version


def test_every_settings_version_is_listed_with_its_conversations(each_house: House) -> None:
    """The one used last first, those that nobody has used at the end."""
    starts = []
    for settings in (USUAL, USUAL, WITH_GROUND):
        starts.append(Call(each_house, settings=settings).started_ms)
        each_house.clock.advance(1)
    with read_only(each_house.engine) as connection:
        ground, ordinary, *unused = list_settings(connection, each_house.workspace)
    assert ground == KeptSettings(
        version=WITH_GROUND.version,
        project=WITH_GROUND.project,
        conversations=1,
        first_ms=starts[2],
        last_ms=starts[2],
    )
    assert ordinary == KeptSettings(
        version=USUAL.version, project=USUAL.project, conversations=2, first_ms=starts[0], last_ms=starts[1]
    )
    assert unused == [
        KeptSettings(version=each.version, project=each.project, conversations=0, first_ms=None, last_ms=None)
        for each in sorted((NOBODY, MIFID), key=lambda settings: settings.version)
    ]
