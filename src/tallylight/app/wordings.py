"""The operator's own wordings, read and linted before anybody hears them."""

import hashlib
import json
from collections.abc import Mapping

from tallylight.config.configuration import Configuration
from tallylight.consent.errors import NoticeError
from tallylight.consent.lint import lint_wording
from tallylight.consent.wording.form import Wording, parse_wording


def own_wordings(configuration: Configuration) -> Mapping[str, Wording]:
    """By language. Raises NoticeError (`wording_invalid`) with everything that a wording leaves out or must not say."""
    found = {language: _read(language, text) for language, text in configuration.wordings.items()}
    wrong = [
        f"wording.{language}: {each.text}: {each.message}"
        for language, words in found.items()
        for each in lint_wording(words)
    ]
    if wrong:
        raise NoticeError("\n".join(wrong), code="wording_invalid")
    return found


def _read(language: str, text: str) -> Wording:
    words = parse_wording(text, source=f"wording.{language}")
    if words.language != language:
        raise NoticeError(
            f"wording.{language} is a wording in {words.language!r}: name it under its own language.",
            code="wording_invalid",
        )
    return words


def wording_version(configuration: Configuration) -> str | None:
    """SHA-256 of all of them together; None where there are none."""
    if not configuration.wordings:
        return None
    content = json.dumps(dict(configuration.wordings), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()
