"""What can go wrong with speech."""

from tallylight.errors import TallylightError


class SpeechError(TallylightError):
    """A text could not be made sound."""

    code = "speech"


class LanguageUnknown(SpeechError):
    """No voice for this language."""

    code = "speech_language"


class RateUnusable(SpeechError):
    """A rate outside what people can follow."""

    code = "speech_rate"


class EngineFailed(SpeechError):
    """The speech engine's process died, hung or answered nonsense, twice."""

    code = "speech_engine"
