"""Everything this process may have to say, spoken once and kept as sound."""

import logging
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tallylight.consent.errors import NoticeError
from tallylight.consent.notices import ALOUD, LANGUAGES, NoticeKind, RenderedNotice, render
from tallylight.consent.wording.form import Wording
from tallylight.policy.settings import Settings
from tallylight.speech.synthesis import Synthesiser
from tallylight.telephony.rtp.prompt import Prompt

SAMPLES_PER_MS = 8
BYTES_PER_SAMPLE = 2

LONGEST_S = 20
"""How long telling and asking may take."""

logger = logging.getLogger(__name__)


class Prompts:
    """Sound by text. `prepare` speaks every notice of a project; `spoken` anything else, when it is asked for."""

    def __init__(
        self,
        synthesiser: Synthesiser,
        *,
        withdraw_code: str = "*2",
        cut_s: float | None = None,
        wordings: Mapping[str, Wording] = MappingProxyType({}),
    ) -> None:
        """`wordings`: the operator's own, by language."""
        self._synthesiser = synthesiser
        self._wordings = wordings
        self._withdraw_code = withdraw_code
        self._cut_bytes = None if cut_s is None else max(1, round(cut_s * 1000)) * SAMPLES_PER_MS * BYTES_PER_SAMPLE
        self._sounds: dict[tuple[str, str], Prompt] = {}
        self._notices: dict[tuple[NoticeKind, str], RenderedNotice] = {}

    async def prepare(self, projects: Iterable[Settings]) -> None:
        """Speak every notice of these projects, so that no call ever waits for it. Raises SpeechError."""
        for settings in projects:
            for terms in settings.notices:
                await self._prepare(terms)

    async def _prepare(self, terms: Settings) -> None:
        for kind in NoticeKind:
            if kind in ALOUD and not terms.spoken_answers:
                continue
            try:
                notice = self._render(kind, terms)
            except NoticeError:
                continue  # a question nobody may be asked in this mode
            await self.spoken(notice.text, notice.language, notice.words_per_minute)
        question = NoticeKind.QUESTION_SPOKEN if terms.spoken_answers else NoticeKind.QUESTION
        heard = [kind for kind in (NoticeKind.FIRST_LAYER, question) if (kind, terms.version) in self._notices]
        asked = [self.notice(kind, terms)[1] for kind in heard]
        seconds = sum([prompt.duration_ms for prompt in asked]) / 1000
        if seconds > LONGEST_S:
            logger.warning(
                "project %s in %s: telling and asking takes %.0f s; shorten the wording, or the controller's name",
                terms.project,
                terms.language,
                seconds,
            )

    def languages(self, settings: Settings) -> frozenset[str]:
        """Those in which everything about a project can be said."""
        known = frozenset((*LANGUAGES, *self._wordings))
        return known if settings.own_purpose is None else known & settings.own_purpose.words.keys()

    def notice(self, kind: NoticeKind, settings: Settings) -> tuple[RenderedNotice, Prompt]:
        """A prepared notice: its exact text and its sound."""
        notice = self._render(kind, settings)
        return notice, self._sounds[notice.language, notice.text]

    def _render(self, kind: NoticeKind, settings: Settings) -> RenderedNotice:
        key = (kind, settings.version)
        known = self._notices.get(key)
        if known is None:
            language = settings.language
            known = self._notices[key] = render(
                kind, language, settings, withdraw_code=self._withdraw_code, words=self._wordings.get(language)
            )
        return known

    async def spoken(self, text: str, language: str, words_per_minute: int | None = None) -> Prompt:
        """The sound of a text."""
        key = (language, text)
        if key not in self._sounds:
            pcm = await self._synthesiser.speak(text, language=language, words_per_minute=words_per_minute)
            self._sounds[key] = Prompt(pcm if self._cut_bytes is None else pcm[: self._cut_bytes])
        return self._sounds[key]
