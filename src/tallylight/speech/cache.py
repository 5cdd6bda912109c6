"""Spoken texts kept as files, so that a house that has spoken once starts at once. They name no person."""

import hashlib
import json
import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path

from tallylight.speech.synthesis import Request

_LOG = logging.getLogger(__name__)
_MAGIC = b"TLP1"
_HEAD = len(_MAGIC) + 32

ENGINE = "espeak-ng 1.52 level 1"
"""Part of every name: another engine, filter or level is another sound."""


class PromptCache:
    """A folder of files `SHA-256 of (engine, text, language, voice, rate).pcm`: magic, SHA-256 of the sound, the sound.

    A file that is damaged, cut or missing is a text not yet spoken; a folder that cannot be written to is no cache.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, request: Request) -> bytes | None:
        """The sound, if it was kept."""
        try:
            data = self._path(request).read_bytes()
        except OSError:
            return None
        pcm = data[_HEAD:]
        if not pcm or len(pcm) % 2 or data[:_HEAD] != _MAGIC + hashlib.sha256(pcm).digest():
            return None
        return pcm

    def put(self, request: Request, pcm: bytes) -> None:
        """Keep a sound. Other processes see all of it or nothing."""
        path = self._path(request)
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(_MAGIC + hashlib.sha256(pcm).digest() + pcm)
            os.replace(temporary, path)
        except OSError as error:
            _LOG.warning("A spoken text is not kept in %s (%s); it will be spoken anew.", self._folder, error.strerror)
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def _path(self, request: Request) -> Path:
        key = [ENGINE, request.text, request.language, request.voice, request.words_per_minute]
        return self._folder / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()}.pcm"
