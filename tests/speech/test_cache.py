"""Spoken texts as files: found again, never trusted when damaged, never in the way."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from tallylight.speech.cache import PromptCache
from tallylight.speech.synthesis import Request

REQUEST = Request.of("May we record your voice?", "en", 190)
PCM = bytes(range(200)) * 2


def test_what_was_kept_is_found_by_another_process(tmp_path: Path) -> None:
    PromptCache(tmp_path / "cache" / "prompts").put(REQUEST, PCM)
    assert PromptCache(tmp_path / "cache" / "prompts").get(REQUEST) == PCM
    assert [path.suffix for path in (tmp_path / "cache" / "prompts").iterdir()] == [".pcm"]


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, text="May we record your voice"),
        replace(REQUEST, language="da"),
        replace(REQUEST, voice="en-us"),
        replace(REQUEST, words_per_minute=191),
    ],
)
def test_another_sound_is_another_file(tmp_path: Path, other: Request) -> None:
    cache = PromptCache(tmp_path)
    cache.put(REQUEST, PCM)
    assert cache.get(other) is None


@pytest.mark.parametrize("damage", [b"", b"TLP1", b"junk", PCM])
def test_a_file_that_is_something_else_is_not_spoken(tmp_path: Path, damage: bytes) -> None:
    cache = PromptCache(tmp_path)
    cache.put(REQUEST, PCM)
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage)
    assert cache.get(REQUEST) is None
    cache.put(REQUEST, PCM)
    assert cache.get(REQUEST) == PCM


def test_every_cut_and_every_changed_byte_is_seen(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path)
    cache.put(REQUEST, PCM[:40])
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert cache.get(REQUEST) is None
        path.write_bytes(whole[:length] + bytes([whole[length] ^ 1]) + whole[length + 1 :])
        assert cache.get(REQUEST) is None


def test_a_folder_that_cannot_be_is_no_cache(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = PromptCache(tmp_path / "file" / "prompts")
    with caplog.at_level(logging.WARNING):
        cache.put(REQUEST, PCM)
    assert "it will be spoken anew" in caplog.text
    assert cache.get(REQUEST) is None
