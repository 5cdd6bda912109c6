"""The stand-alone verifier: an honest log passes, every change of it does not."""

import base64
import copy
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tallylight.database.checkpoints import verify_signature
from tallylight.ledger import verifier
from tallylight.ledger.merkle import Frontier
from tallylight.ledger.verifier import Report, VerificationError, main, verify_lines
from tests.ledger.logs import KEY, Log, Record, honest


def check(log: Log, kept: Sequence[str] = ()) -> Report:
    """Verify with the key known from elsewhere; `cryptography` checks the signatures, for speed."""
    return verify_lines(log.lines(), key=honest(0).public, kept=kept, verify_signature=verify_signature)


def refused(log: Log, kept: Sequence[str] = ()) -> str:
    with pytest.raises(VerificationError) as caught:
        check(log, kept)
    return str(caught.value)


def entries(log: Log) -> list[int]:
    return [at for at, record in enumerate(log.records) if "leaf" in record]


def test_an_honest_log_is_verified() -> None:
    report = check(honest())
    assert (report.entries, report.streams, report.checkpoints, report.signed, report.erased) == (12, 3, 3, 12, 0)
    assert report.root == honest().frontier.root()


def test_an_empty_log_is_verified() -> None:
    log = Log()
    assert check(log).entries == 0


def test_erased_payloads_leave_the_log_verifiable() -> None:
    log = honest()
    for at in entries(log)[2:5]:
        log.records[at]["payload"] = log.records[at]["salt"] = None
    assert check(log).erased == 3


CHANGES: list[tuple[str, object]] = [
    ("leaf", 99),
    ("stream", "stream-9"),
    ("sequence", 7),
    ("type", "Changed"),
    ("version", 2),
    ("occurred_ms", 4),
    ("recorded_ms", 7),
    ("actor", "nobody"),
    ("payload", '{"content":"changed"}'),
    ("salt", "00" * 32),
    ("commitment", "00" * 32),
    ("leaf", "0"),
    ("version", True),
    ("version", 2**32),
    ("version", -1),
    ("occurred_ms", 2**63),
    ("occurred_ms", 5.0),
    ("actor", None),
    ("actor", "\ud800"),
    ("actor", "x" * 65_536),
    ("payload", None),
    ("salt", None),
    ("salt", "00"),
    ("commitment", "zz"),
    ("commitment", None),
    ("remark", "added"),
]


@pytest.mark.parametrize(("field", "value"), CHANGES)
@pytest.mark.parametrize("number", range(12))
def test_every_edit_of_every_entry_is_detected(number: int, field: str, value: object) -> None:
    log = honest()
    record = log.records[entries(log)[number]]
    if record.get(field) == value and type(record.get(field)) is type(value):
        record[field] = 0
    else:
        record[field] = value
    refused(log)


@pytest.mark.parametrize("number", range(12))
def test_every_deletion_and_doubling_is_detected(number: int) -> None:
    log = honest()
    record = log.records.pop(entries(log)[number])
    assert any(words in refused(log) for words in (f"expected entry {number}", f"stands after {number} entries"))
    log = honest()
    log.records.insert(entries(log)[number], copy.deepcopy(record))
    assert "found entry" in refused(log)


def renumber(log: Log) -> None:
    """Give entries the numbers of their places, as a forger would."""
    sequences: dict[object, int] = {}
    for leaf, at in enumerate(entries(log)):
        record = log.records[at]
        record["leaf"] = leaf
        record["sequence"] = sequences.get(record["stream"], 0)
        sequences[record["stream"]] = sequences.get(record["stream"], 0) + 1


@pytest.mark.parametrize("number", range(11))
def test_every_reordering_is_detected_even_renumbered(number: int) -> None:
    log = honest()
    one, two = entries(log)[number : number + 2]
    log.records[one], log.records[two] = log.records[two], log.records[one]
    assert f"expected entry {number}, found entry {number + 1}" in refused(log)
    renumber(log)
    assert "an entry before it was changed" in refused(log)


@pytest.mark.parametrize("number", range(11))
def test_a_removed_and_closed_gap_is_detected(number: int) -> None:
    """The forger removes an entry, fills up with another last one, renumbers, and leaves the checkpoints in place."""
    log = honest()
    told = [log.records[at] for at in entries(log)]
    told.append(copy.deepcopy(told[-1]))
    told.pop(number)
    for at, record in zip(entries(log), told, strict=True):
        log.records[at] = record
    renumber(log)
    assert "an entry before it was changed" in refused(log)


@pytest.mark.parametrize("kept", range(1, len(honest().lines()) - 1))
def test_a_log_cut_off_is_detected(kept: int) -> None:
    with pytest.raises(VerificationError, match="entries are missing: the export states 12"):
        verify_lines(honest().lines()[:kept], verify_signature=verify_signature)


def test_a_missing_last_checkpoint_leaves_the_last_entries_unsigned() -> None:
    log = honest()
    log.records.pop()
    assert (check(log).entries, check(log).signed) == (12, 10)


def forged(first_change: int) -> Log:
    """A well-formed log, signed by the true key, that tells another story from one entry on."""
    log = Log()
    for number in range(12):
        log.append(f"stream-{number % 3}", number // 3, content="another story" if number >= first_change else "")
        if number in (4, 9):
            log.checkpoint()
    log.checkpoint()
    return log


@pytest.mark.parametrize("first_change", range(12))
def test_a_fork_is_detected_by_a_checkpoint_kept_from_earlier(first_change: int) -> None:
    fork = forged(first_change)
    assert check(fork).signed == 12
    assert "kept from earlier" in refused(fork, [honest().note()])
    assert check(honest(), [honest().note(), honest(5).note(), honest(7).note()]).signed == 12


@pytest.mark.parametrize("first_change", range(10))
def test_checkpoints_that_contradict_each_other_are_detected(first_change: int) -> None:
    """The true key signed both histories; no export can satisfy both."""
    log, fork = honest(), forged(first_change)
    notes = [at for at, record in enumerate(log.records) if "checkpoint" in record]
    mixed = honest()
    mixed.records[notes[1]] = fork.records[notes[1]]
    assert "10 entries has another root" in refused(mixed)


def test_a_checkpoint_kept_from_earlier_shows_a_log_cut_short() -> None:
    assert "a checkpoint kept from earlier has 12" in refused(honest(11), [honest(12).note()])


def test_a_log_signed_by_another_key_is_refused() -> None:
    stranger = Log(key=Ed25519PrivateKey.generate())
    stranger.append("s", 0)
    stranger.checkpoint()
    assert "not signed by the key" in refused(stranger)


def test_checkpoints_stand_where_they_belong() -> None:
    log = honest()
    notes = [at for at, record in enumerate(log.records) if "checkpoint" in record]
    early = log.records.pop(notes[1])
    log.records.insert(0, early)
    assert "stands after 0 entries" in refused(log)
    several: list[Record] = [{"checkpoint": 5}, {"checkpoint": "nonsense"}, {**early, "leaf": 1}]
    for wrong in several:
        log = honest()
        log.records[notes[0]] = wrong
        refused(log)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.booleans()), max_size=40))
def test_every_log_the_ledger_can_write_is_verified(plan: list[tuple[str, bool, bool]]) -> None:
    log = Log()
    sequences = dict.fromkeys("abc", 0)
    erased = 0
    for stream, checkpoint, erase in plan:
        log.append(stream, sequences[stream])
        sequences[stream] += 1
        if erase:
            log.records[-1]["payload"] = log.records[-1]["salt"] = None
            erased += 1
        if checkpoint:
            log.checkpoint()
    report = check(log)
    assert (report.entries, report.erased, report.root) == (len(plan), erased, log.frontier.root())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.integers(0, 15),
    st.sampled_from([*honest().records[0], "checkpoint", "format", "size", "root", "key"]),
    json_values,
)
def test_any_json_in_any_place_is_verified_or_refused_in_words(at: int, field: str, value: object) -> None:
    lines = honest().lines()
    record: Record = json.loads(lines[at])
    record[field] = value
    lines[at] = json.dumps(record)
    try:
        report = verify_lines(lines, verify_signature=verify_signature)
    except VerificationError:
        return
    assert report.root == honest().frontier.root()


@given(st.lists(st.text(), max_size=5))
def test_any_text_is_refused_in_words(lines: list[str]) -> None:
    with pytest.raises(VerificationError):
        verify_lines(lines)


def run(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Isolated: no site packages, no environment, another directory."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(script), *arguments],
        cwd=script.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_one_file_runs_alone(tmp_path: Path) -> None:
    script = tmp_path / "verifier.py"
    shutil.copy(verifier.__file__, script)
    log = honest()
    export, note = tmp_path / "log.jsonl", tmp_path / "note.txt"
    export.write_text("\n".join(log.lines()) + "\n", encoding="utf-8")
    note.write_text(honest(7).note(), encoding="utf-8")

    verified = run(script, str(export), "--key", log.public, "--checkpoint", str(note))
    assert (verified.returncode, verified.stderr) == (0, "")
    assert verified.stdout == (
        "verified: 12 entries in 3 streams, 0 of them erased, 3 signed checkpoints\n"
        f"root: {base64.b64encode(log.frontier.root()).decode()}\n"
    )
    log.records[3]["actor"] = "nobody"
    export.write_text("\n".join(log.lines()) + "\n", encoding="utf-8")
    changed = run(script, str(export))
    assert (changed.returncode, changed.stdout) == (1, "")
    assert changed.stderr.startswith("NOT VERIFIED: the signed checkpoint at 5 entries has another root")


def test_the_command_says_what_it_cannot_vouch_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = honest()
    log.append("stream-0", 4)
    export = tmp_path / "log.jsonl"
    export.write_text("\n".join(log.lines()), encoding="utf-8")
    assert main([str(export)]) == 3
    output = capsys.readouterr().out
    assert "the key came with the export: compare it with the one you were given" in output
    assert "NOT SIGNED: the last 1 entries" in output

    assert main([str(tmp_path / "missing.jsonl")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    export.write_bytes(b"\xff\xfe")
    assert main([str(export)]) == 2
    assert main([str(export), "--checkpoint", str(tmp_path / "missing")]) == 2
    export.write_text("\n".join(honest().lines()), encoding="utf-8")
    assert main([str(export), "--key", "nonsense"]) == 1
    assert "the key is not of the form" in capsys.readouterr().err


def test_the_tree_is_the_house_s_own() -> None:
    """The verifier's tree shares no code with the ledger's; both are RFC 9162."""
    assert Frontier().root() == check(Log()).root
    assert KEY.public_key().public_bytes_raw() == verifier.parse_key(honest(0).public)[1]
