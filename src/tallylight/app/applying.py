"""The settings that calls begin under: read anew from `tallylight.toml` while the server runs."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from tallylight.app.store import Store, all_settings, keep_projects
from tallylight.config.configuration import Configuration
from tallylight.config.file import load
from tallylight.errors import TallylightError
from tallylight.ledger.commitment import JsonValue
from tallylight.policy.settings import Settings
from tallylight.telephony.flow.prompts import Prompts

UNTIL_RESTART = {
    "agents": "agents",
    "flow": "flow",
    "sip": "sip",
    "http": "http",
    "retention": "retention",
    "storage": "database",
}
"""Tables of the file that are read at the start alone, with the part of a Configuration that each becomes."""


class RestartNeeded(TallylightError):
    """What was changed cannot be changed while the server runs: restart it."""

    code = "restart_needed"


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What a new reading of the file changed."""

    before: Mapping[str, str]
    """The settings version of each project until now."""
    after: Mapping[str, str]
    restart: tuple[str, ...]
    """Tables that differ from what the server started with, and wait for its next start."""

    def to_json(self) -> JsonValue:
        """A project that is new has no old version, one that is gone no new one."""
        names = {**self.after, **self.before}
        return {
            "projects": [
                {"project": name, "old": self.before.get(name), "new": self.after.get(name)} for name in sorted(names)
            ],
            "restart": list(self.restart),
        }


class InForce:
    """The projects as calls find them that begin now; a running call keeps the settings it began with."""

    def __init__(self, store: Store, settings: Mapping[str, Settings]) -> None:
        self._store = store
        self._configuration = store.configuration
        self.settings = settings
        """Of every project, by its name."""
        self._applying = asyncio.Lock()

    def settings_for(self, dialled: str) -> Settings | None:
        """Those of the project that a number or SIP user reaches; None: no project has it."""
        project = self._configuration.project_for(dialled)
        return None if project is None else self.settings[project.name]

    async def apply(self, prompts: Prompts) -> Applied:
        """Read the file and have it hold from now on. Whatever is raised, everything stays as it was.

        Raises ConfigError, RestartNeeded, SpeechError, and what database and vault raise.
        """
        async with self._applying:
            configuration = await asyncio.to_thread(load, self._store.directory)
            _require_file(self._store.configuration, configuration)
            _require_country(self._store.configuration, configuration)
            _require_wordings(self._store.configuration, configuration)
            settings = all_settings(configuration)
            await prompts.prepare(settings.values())
            await asyncio.to_thread(keep_projects, self._store, settings)
            before, self._configuration, self.settings = self.settings, configuration, settings
            return Applied(
                before={name: each.version for name, each in before.items()},
                after={name: each.version for name, each in settings.items()},
                restart=tuple(
                    table
                    for table, part in UNTIL_RESTART.items()
                    if getattr(configuration, part) != getattr(self._store.configuration, part)
                ),
            )


def _require_file(started: Configuration, now: Configuration) -> None:
    """A file that is gone must not let the built-in trial record in its place."""
    if now.trial and not started.trial:
        raise RestartNeeded("tallylight.toml is gone. Put it back; until then everything stays as it was.")


def _require_country(started: Configuration, now: Configuration) -> None:
    """Objections and addresses are read in the country of the start: another would miss a person's no."""
    before, after = started.controller.country, now.controller.country
    if before != after:
        raise RestartNeeded(
            f"controller.country is {after} now, and the server started with {before}: numbers would be read as of two"
            " countries. Restart the server; until then nothing of the file has changed."
        )


def _require_wordings(started: Configuration, now: Configuration) -> None:
    """Settings name the wording that people hear: they must not name one that this process does not say."""
    if started.wordings != now.wordings:
        raise RestartNeeded(
            "The wordings of your own are others now than the server started with. Restart the server; until then nothing"
            " of the file has changed."
        )
