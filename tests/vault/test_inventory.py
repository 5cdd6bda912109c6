"""Which files are the vault's."""

from pathlib import Path

from tallylight.vault.alarm import Alarm
from tallylight.vault.inventory import KEYS, LIVE, OBJECTS, files
from tallylight.vault.keys import EpochKind, KeyFile, KeyRing
from tallylight.vault.live_log import LiveLog
from tallylight.vault.objects import LocalObjects
from tallylight.vault.seal import seal
from tests.vault.making import PROJECT, epoch, fresh, media


def test_every_file_of_the_vault_is_listed(tmp_path: Path) -> None:
    assert list(files(tmp_path)) == []
    (tmp_path / "tallylight.db").write_bytes(b"x")
    keys = KeyRing(KeyFile.create(tmp_path / KEYS))
    keys.new_project_key(PROJECT, fresh())
    alarms: list[Alarm] = []
    log = LiveLog(tmp_path / LIVE, on_alarm=alarms.append)
    log.write(epoch(keys), [media(0)])
    assert log.sync()
    assert log.close()
    sealed = seal([media(0)], epoch(keys, kind=EpochKind.SEALED), LocalObjects(tmp_path / OBJECTS))
    listed = [path.relative_to(tmp_path).as_posix() for path in files(tmp_path)]
    assert listed[0] == "keys/master.key"
    assert [path for path in listed if path.endswith(".live")] != []
    assert f"objects/{sealed.path}" in listed
    assert not any(path.startswith("tallylight.db") for path in listed)
    assert alarms == []
