"""A data folder, opened: database, keys, ledger, objects. What `serve` and every command beside it have in common."""

import contextlib
import datetime
import fcntl
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from tallylight.app.wordings import wording_version
from tallylight.catalogue.projections import Chronicle
from tallylight.catalogue.versions import keep_pack, keep_settings
from tallylight.clock import Clock, SystemClock
from tallylight.config import configuration as config
from tallylight.config.configuration import Configuration, Project
from tallylight.config.file import load
from tallylight.consent.purposes import OwnPurpose
from tallylight.database.checkpoints import LedgerKey
from tallylight.database.engine import open_database, read_only
from tallylight.database.faults import WriterFaults
from tallylight.database.schema import migrate
from tallylight.database.writer import Transaction, Writer
from tallylight.errors import TallylightError
from tallylight.health.alarms import AlarmKind, Alarms
from tallylight.health.metrics import Metrics
from tallylight.ids import DEFAULT_WORKSPACE, WorkspaceId, new_id
from tallylight.law.pack import Pack, default_files
from tallylight.law.pack import load as load_pack
from tallylight.law.vocabulary import Conference, LawfulBasis, Mode, ProjectKind, Purpose, Sector
from tallylight.policy.preferences import Chosen, Preferences, effective_settings
from tallylight.policy.settings import Settings
from tallylight.vault.disk import Disk
from tallylight.vault.keys import KeyRing
from tallylight.vault.objects import LocalObjects, ObjectStore
from tallylight.vault.tables import insert_project_key, read_project_keys
from tallylight.vault.wrapping import KeyFile

logger = logging.getLogger(__name__)

COMMIT_S = 60.0


class FolderInUse(TallylightError):
    """Another server runs on this folder."""

    code = "folder_in_use"


class NoFolder(TallylightError):
    """There is no data folder here."""

    code = "no_folder"


@contextlib.contextmanager
def lock(directory: Path) -> Iterator[None]:
    """Own the folder for as long as the context lasts. A lock that a dead process left holds nobody up."""
    handle = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUse(
                f"A server already runs on {directory}. Stop it first, or choose another --data."
            ) from None
        yield
    finally:
        os.close(handle)


@dataclass(frozen=True, kw_only=True)
class Store:
    """One data folder."""

    directory: Path
    workspace: WorkspaceId
    clock: Clock
    configuration: Configuration
    engine: Engine
    ledger_key: LedgerKey
    writer: Writer
    keyring: KeyRing
    chronicle: Chronicle
    objects: ObjectStore
    alarms: Alarms
    metrics: Metrics

    @property
    def live_folder(self) -> Path:
        """Where the live log's files are."""
        return self.directory / "live"

    @property
    def log_folder(self) -> Path:
        """Where the text logs are."""
        return self.directory / "logs"

    def close(self) -> None:
        """Write what waits, sign the ledger, let go."""
        self.writer.close()
        self.engine.dispose()


def open_store(
    directory: Path,
    *,
    owner: bool = False,
    clock: Clock | None = None,
    disk: Disk | None = None,
    faults: WriterFaults | None = None,
) -> Store:
    """Open a data folder. `owner`: this process runs its conversations (and makes the folder where there is none).

    `disk` is under the objects, `faults` under the commits. Raises NoFolder, ConfigError, DatabaseError, VaultError.
    """
    if owner:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    elif not directory.is_dir():
        raise NoFolder(f"There is no folder {directory}. Name the one that `tallylight serve --data` uses.")
    clock = clock or SystemClock()
    configuration = load(directory)
    engine = open_database(configuration.database or directory)
    migrate(engine)
    workspace = DEFAULT_WORKSPACE
    keyring = _open_keys(directory / "keys", engine, workspace)
    objects = LocalObjects(directory / "objects", disk)
    if owner:
        objects.remove_partials()
    metrics = Metrics()
    alarms = Alarms(clock, counter=metrics)
    ledger_key = LedgerKey.open(directory)

    def database_failed(error: TallylightError) -> None:
        alarms.raise_alarm(AlarmKind.DATABASE_FAILED, error.code)

    writer = Writer(
        engine,
        clock=clock,
        key=ledger_key,
        faults=faults,
        on_alarm=database_failed,
    )
    return Store(
        directory=directory,
        workspace=workspace,
        clock=clock,
        configuration=configuration,
        engine=engine,
        ledger_key=ledger_key,
        writer=writer,
        keyring=keyring,
        chronicle=Chronicle(
            workspace=workspace, keys=keyring, node=f"node-{new_id(clock.wall_ms())}" if owner else None
        ),
        objects=objects,
        alarms=alarms,
        metrics=metrics,
    )


def _open_keys(folder: Path, engine: Engine, workspace: WorkspaceId) -> KeyRing:
    with read_only(engine) as connection:
        project_keys = read_project_keys(connection, workspace)
    # A folder that holds wrapped keys has had a master key: making a new one would hide that the old one is lost.
    keyring = KeyRing(KeyFile(folder) if project_keys else KeyFile.create(folder), workspace)
    for row in project_keys:
        keyring.load_project_key(row)
    return keyring


def prepare_projects(store: Store) -> tuple[Pack, dict[str, Settings]]:
    """Make every project ready to record: its key, its settings version and the law pack stand in the database."""
    files = default_files()
    pack = load_pack(files)
    settings = all_settings(store.configuration)
    keep_projects(store, settings)

    def write(transaction: Transaction) -> None:
        keep_pack(transaction.connection, store.workspace, files)

    store.writer.submit(write, workspace=store.workspace).result(COMMIT_S)
    return pack, settings


def keep_projects(store: Store, settings: Mapping[str, Settings]) -> None:
    """The projects' settings versions stand in the database, and a key for each that has none yet. Blocks."""
    fresh = [
        store.keyring.new_project_key(name, new_id(store.clock.wall_ms()))
        for name in settings
        if not store.keyring.has_project(name)
    ]

    def write(transaction: Transaction) -> None:
        for row in fresh:
            insert_project_key(transaction.connection, row)
        for version in settings.values():
            keep_settings(transaction.connection, store.workspace, version)

    try:
        store.writer.submit(write, workspace=store.workspace).result(COMMIT_S)
    except BaseException:
        for row in fresh:
            store.keyring.unload_project(row.project)  # a key that is not kept encrypts nothing
        raise


def all_settings(configuration: Configuration) -> dict[str, Settings]:
    """Those of every project, by its name."""
    return {project.name: settings_of(configuration, project) for project in configuration.projects}


def choices_of(configuration: Configuration, project: Project) -> Mapping[str, Chosen]:
    """What holds of each preference in a project, and whether the project, the whole house or nobody chose it."""
    return effective_settings(
        _preferences(project.preferences), _preferences(configuration.recording), ProjectKind(project.kind)
    )


def _preferences(chosen: config.Preferences) -> Preferences:
    return Preferences(
        mode=None if chosen.mode is None else Mode(chosen.mode),
        conference=None if chosen.conference is None else Conference(chosen.conference),
        start_paused=chosen.start_paused,
        agents_hear_others=chosen.agents_hear_others,
        several_receipts=chosen.several_receipts,
        attested_consent=chosen.attested_consent,
        retention_months=chosen.retention_months,
        receipt_months=chosen.receipt_months,
    )


def settings_of(configuration: Configuration, project: Project) -> Settings:
    """A project of the configuration as the policy room knows it."""
    controller, test = configuration.controller, project.balancing_test
    own = _own_purpose(configuration, project)
    chosen = {name: choice.value for name, choice in choices_of(configuration, project).items()}
    return Settings(
        project=project.name,
        controller=controller.name,
        country=controller.country,
        policy_address=controller.policy_address,
        language=project.language,
        purpose=Purpose(project.purpose) if own is None else own.judged_as,
        own_purpose=own,
        wording=wording_version(configuration),
        customer_basis=LawfulBasis(project.basis),
        agent_basis=LawfulBasis(project.agent_basis),
        proof_ground=project.proof_ground,
        proof_retention_months=project.proof_months,
        balancing_test=None if test is None else test.id,
        balancing_test_from_ms=None if test is None else _start_of(test.approved_on),
        balancing_test_until_ms=None if test is None else _start_of(test.review_by),
        necessity=project.necessity,
        kind=ProjectKind(project.kind),
        receipt_basis=LawfulBasis(project.receipt_basis),
        sector=None if project.sector is None else Sector(project.sector),
        prompts=project.prompts,
        minors=project.minors,
        spoken_answers=project.spoken_answers,
        terms_acknowledged_by=controller.terms_acknowledged_by,
        trial=configuration.trial,
        **chosen,  # type: ignore[arg-type]
    )


def _own_purpose(configuration: Configuration, project: Project) -> OwnPurpose | None:
    """Raises PurposeError where it cannot be placed among the known terms."""
    own = next((each for each in configuration.purposes if each.name == project.purpose), None)
    if own is None:
        return None
    return OwnPurpose(name=own.name, words=dict(own.words), term=own.term, judged_as=Purpose(own.judged_as))


def _start_of(day: datetime.date) -> int:
    """Its first instant, ms UTC."""
    return round(datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.UTC).timestamp() * 1000)
