"""What a server says, and how it hears answers."""

import asyncio
import logging
from collections.abc import Collection
from contextlib import AsyncExitStack

from tallylight.app.wordings import own_wordings
from tallylight.config.configuration import Configuration
from tallylight.policy.settings import Settings
from tallylight.speech.recognition import AnswerRecogniser
from tallylight.speech.sphinx import LANGUAGE, SphinxRecogniser
from tallylight.speech.synthesis import Synthesiser
from tallylight.telephony.flow.prompts import Prompts

logger = logging.getLogger(__name__)

WARM_UP_BYTES = 3200
"""A tenth of a second of silence: the model of spoken answers is loaded for it."""


async def prepare_prompts(
    synthesiser: Synthesiser, configuration: Configuration, projects: Collection[Settings]
) -> Prompts:
    """Everything these projects may have to say, spoken. Raises NoticeError for a wording that does not do, SpeechError."""
    flow = configuration.flow
    prompts = Prompts(
        synthesiser,
        withdraw_code=flow.withdraw_code,
        cut_s=flow.prompt_seconds,
        wordings=own_wordings(configuration),
    )
    await prompts.prepare(projects)
    return prompts


async def open_recogniser(stack: AsyncExitStack, projects: Collection[Settings]) -> AnswerRecogniser | None:
    """What hears spoken answers, ready before the first caller; None where no project wants any."""
    aloud = [settings for settings in projects if settings.spoken_answers]
    if not aloud:
        return None
    recogniser = SphinxRecogniser()
    stack.callback(recogniser.close)
    for settings in aloud:
        if not recogniser.understands(settings.language):
            logger.warning(
                "project %s: no answer in %s can be recognised, so callers are asked for keys (extra `speech`)",
                settings.project,
                settings.language,
            )
    if recogniser.understands(LANGUAGE):
        await asyncio.to_thread(recogniser.hear_now, bytes(WARM_UP_BYTES))
    return recogniser
