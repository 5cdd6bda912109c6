"""Reading `tallylight.toml`: TOML to checked tables to a Configuration, with everything that is wrong named at once."""

import dataclasses
import ipaddress
import itertools
import os
import stat
import tomllib
import types
import typing
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tallylight.config.configuration import (
    Agents,
    BalancingTest,
    Configuration,
    Controller,
    Flow,
    Login,
    OwnPurpose,
    Preferences,
    Project,
    Retention,
    Sip,
    dialled_form,
)
from tallylight.config.endpoint import parse_endpoint
from tallylight.config.errors import ConfigError
from tallylight.config.lines import key_lines, line_of
from tallylight.config.schema import FileTable, ProjectTable, RecordingTable, SipTable
from tallylight.config.trial import trial
from tallylight.config.words import GLOBAL, LANGUAGES, MODES_OF, ONLY_IN, PURPOSES, UNRECORDED, nearest, one_of

FILE_NAME = "tallylight.toml"
CODES = ("withdraw_code", "pause_code", "customer_code", "receipt_code", "minor_code")


def load(directory: Path) -> Configuration:
    """The configuration of a data directory: its `tallylight.toml`, or the trial profile where there is none."""
    path = directory / FILE_NAME
    if not os.path.lexists(path):
        return trial()
    configuration = parse(_text(path), source=str(path))
    readable = path.stat().st_mode & stat.S_IROTH
    if (configuration.sip.credentials or configuration.sip.outbound) and readable:
        raise ConfigError(f"Others can read the passwords in {path}. Run: chmod o-rwx {path}")
    wordings = {language: _text(directory / name) for language, name in configuration.wording_files.items()}
    return dataclasses.replace(configuration, wordings=wordings)


def _text(path: Path) -> str:
    """Raises ConfigError where a file cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}): give this user access to it.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not in UTF-8: save it in that encoding.") from None


def parse(text: str, *, source: str = FILE_NAME) -> Configuration:
    """Read a configuration from its text. Raises ConfigError with one line for everything that is wrong."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source} is no TOML file: {error}.") from None
    try:
        file = FileTable.model_validate(tables)
    except ValidationError as error:
        lines = key_lines(text)
        found = [(_path(detail), _words(detail)) for detail in error.errors()]
    else:
        lines = key_lines(text)
        found = _contradictions(file)
        if not found:
            return _configuration(file, source)
    raise ConfigError("\n".join(_sentence(source, path, words, lines) for path, words in found))


def _sentence(source: str, path: tuple[str, ...], words: str, lines: dict[tuple[str, ...], int]) -> str:
    line = line_of(path, lines)
    where = source if line is None else f"{source}, line {line}"
    return f"{where}: {'.'.join(path)}: {words}."


def _path(detail: ErrorDetails) -> tuple[str, ...]:
    """Table and key names; Pydantic's own steps (a position in a list, the key of a table) are left out."""
    return tuple(step for step in detail["loc"] if isinstance(step, str) and step != "[key]")


def _words(detail: ErrorDetails) -> str:
    path = _path(detail)
    match detail["type"]:
        case "extra_forbidden":
            known = _known_keys(path[:-1])
            return f"unknown key; the keys here are {', '.join(known)}{nearest(path[-1], known)}"
        case "missing":
            return "missing; add it"
        case "value_error":
            return detail["msg"].removeprefix("Value error, ")
        case "too_short" if path == ("project",):
            return "name at least one project, as [project.NAME]"
        case _:
            words = detail["msg"].removeprefix("Input ")
            value = detail["input"]
            return words[0].lower() + words[1:] + (f", not {value!r}" if isinstance(value, str | int | float) else "")


def _known_keys(path: tuple[str, ...]) -> tuple[str, ...]:
    """The keys that the table at `path` may hold."""
    kind: object = FileTable
    for step in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = _plain(kind.model_fields[step].annotation)
        else:
            kind = _plain(typing.get_args(kind)[1])
    return tuple(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else ()


def _plain(kind: object) -> object:
    """`X` for `X | None`."""
    if isinstance(kind, types.UnionType):
        return next(part for part in typing.get_args(kind) if part is not type(None))
    return kind


def _contradictions(file: FileTable) -> list[tuple[tuple[str, ...], str]]:
    """What is wrong between keys that are right each by itself."""
    found: list[tuple[tuple[str, ...], str]] = []
    owner: dict[str, str] = {}
    rest: list[str] = []
    for name, project in file.project.items():
        if not project.numbers:
            rest.append(name)
        for number in project.numbers:
            form = dialled_form(number, file.controller.country)
            if form in owner:
                words = f"{number!r} already reaches project {owner[form]}; one number reaches one project"
                found.append((("project", name, "numbers"), words))
            owner[form] = name
    for name, project in file.project.items():
        test = project.balancing_test
        if test is not None and test.review_by <= test.approved_on:
            found.append((("project", name, "balancing_test", "review_by"), "it must come after approved_on"))
        found += [(("project", name, key), words) for key, words in _misfits(project, file.recording)]
        found += [(("project", name, key), words) for key, words in _unworded(project, file)]
    for name in rest[1:]:
        words = f"give it numbers of its own; project {rest[0]} already takes every call that has no other"
        found.append((("project", name), words))
    codes = {name: str(getattr(file.flow, name)) for name in CODES}
    for (first, one), (second, other) in itertools.combinations(codes.items(), 2):
        if one.startswith(other) or other.startswith(one):
            found.append((("flow", second), f"{other!r} cannot be told from {first} {one!r}"))
    if file.flow.prompt_seconds is not None and not _loopback_only(file.sip):
        words = (
            "cut prompts tell nobody anything, so they are for tests: allow addresses of this machine alone"
            " (sip.allowed) and no sip.credentials, or take this key out"
        )
        found.append((("flow", "prompt_seconds"), words))
    if (file.sip.outbound_user is None) != (file.sip.outbound_password is None):
        key = "outbound_user" if file.sip.outbound_user is None else "outbound_password"
        found.append((("sip", key), "missing; a user and a password go together"))
    return found


def _misfits(project: ProjectTable, everywhere: RecordingTable) -> list[tuple[str, str]]:
    """What one project cannot choose or take over, and the necessity that recording asks for: (key, words)."""
    found = []
    for key, only in ONLY_IN.items():
        if key in project.model_fields_set and project.kind != only:
            found.append((key, f"a choice of {only} projects, and this one is {project.kind}; take it out"))
    own = _own(project.mode)
    mode = own or everywhere.mode or UNRECORDED
    if mode not in MODES_OF[project.kind]:
        whence = "" if own else " (taken over from recording.mode)"
        choices = ", ".join(MODES_OF[project.kind])
        found.append(("mode", f"{project.kind} projects have no mode {mode!r}{whence}; choose one of {choices}"))
    elif mode != UNRECORDED and project.necessity is None:
        whence = "" if own else ", taken over from recording.mode"
        words = (
            "missing; whoever records states why what is said cannot practically be documented another way"
            f" (mode is {mode!r}{whence}; mode {UNRECORDED!r} needs no statement)"
        )
        found.append(("necessity", words))
    return found


def _unworded(project: ProjectTable, file: FileTable) -> list[tuple[str, str]]:
    """What people could not be told in the project's language: (key, words)."""
    found = []
    languages, purposes = (*LANGUAGES, *file.wording), (*PURPOSES, *file.purpose)
    if project.language not in languages:
        found.append(("language", one_of(project.language, languages)))
    if project.purpose not in purposes:
        found.append(("purpose", one_of(project.purpose, purposes)))
    own = file.purpose.get(project.purpose)
    if own is not None and project.language not in own.words:
        found.append(("purpose", f"purpose.{project.purpose}.words has none in {project.language!r}; add them"))
    return found


def _own(choice: str | None) -> str | None:
    """None for a project that leaves the choice to `[recording]`."""
    return None if choice == GLOBAL else choice


def _loopback_only(sip: SipTable) -> bool:
    return not sip.credentials and all(ipaddress.ip_network(network).is_loopback for network in sip.allowed)


def _preferences(table: ProjectTable | RecordingTable) -> Preferences:
    return Preferences(
        mode=_own(table.mode),
        conference=_own(table.conference),
        start_paused=table.start_paused,
        agents_hear_others=table.agents_hear_others,
        several_receipts=table.several_receipts,
        attested_consent=table.attested_consent,
        retention_months=table.retention_months,
        receipt_months=table.receipt_months,
    )


def _project(name: str, project: ProjectTable, country: str) -> Project:
    test = project.balancing_test
    return Project(
        name=name,
        kind=project.kind,
        language=project.language,
        preferences=_preferences(project),
        purpose=project.purpose,
        basis=project.basis,
        agent_basis=project.agent_basis,
        receipt_basis=project.receipt_basis,
        proof_ground=project.proof_ground,
        proof_months=project.proof_months,
        balancing_test=None if test is None else BalancingTest(**test.model_dump()),
        necessity=project.necessity,
        sector=project.sector,
        prompts=project.prompts,
        minors=project.minors,
        spoken_answers=project.spoken_answers,
        numbers=tuple(dialled_form(number, country) for number in project.numbers),
    )


def _configuration(file: FileTable, source: str) -> Configuration:
    sip = file.sip
    outbound = None
    if sip.outbound_user is not None and sip.outbound_password is not None:
        outbound = Login(user=sip.outbound_user, password=sip.outbound_password)
    return Configuration(
        source=source,
        controller=Controller(**file.controller.model_dump()),
        agents=Agents(**file.agents.model_dump()),
        recording=_preferences(file.recording),
        projects=tuple(_project(name, project, file.controller.country) for name, project in file.project.items()),
        purposes=tuple(OwnPurpose(name=name, **own.model_dump()) for name, own in file.purpose.items()),
        wording_files=file.wording,
        flow=Flow(**file.flow.model_dump()),
        sip=Sip(
            listen=None if sip.listen is None else parse_endpoint(sip.listen),
            advertise=sip.advertise,
            connect=sip.connect,
            transports=tuple(sip.transports),
            allowed=tuple(ipaddress.ip_network(network) for network in sip.allowed),
            realm=sip.realm,
            credentials=tuple(Login(user=user, password=password) for user, password in sip.credentials.items()),
            outbound=outbound,
            stay_on_udp=tuple(sip.stay_on_udp),
            rtp_ports=(sip.rtp_ports[0], sip.rtp_ports[1]),
        ),
        http=None if file.http is None else parse_endpoint(file.http.listen),
        retention=Retention(**file.retention.model_dump()),
        database=file.storage.database,
        trial=False,
    )
