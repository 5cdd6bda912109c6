"""What a language must be able to say."""

from collections.abc import Mapping
from dataclasses import dataclass

from tallylight.law.vocabulary import Purpose

VERSION = "1"
"""Of all the wordings together."""

TWELVE = 12


@dataclass(frozen=True, kw_only=True)
class Wording:
    """One language. Texts take {controller}, {purpose}, {months}, {proof_months} and {address} and {withdraw}."""

    language: str
    """ISO 639-1."""
    words_per_minute: int
    """The rate the synthesiser is set to: 160 to 200, German 195."""

    first_layer: str
    """Mode both, and the question follows."""
    first_layer_informed: str
    """Mode both where no yes is asked for: told, and free to object."""
    first_layer_agent_only: str
    first_layer_none: str
    question: str
    question_again: str
    details: str
    acknowledgement: str
    not_recorded: str
    """After a no or silence, where the employee is recorded."""
    nothing_recorded: str
    """After a no or silence, where nobody is."""
    withdrawn: str
    apology: str
    paused: str
    resumed: str

    purposes: Mapping[Purpose, str]
    """Each with the words that join it to "records this call ..."."""
    numbers: tuple[str, ...]
    """One to twelve, as they stand before `month` or `months`."""
    digits: tuple[str, ...]
    """Nought to nine, as keys are named."""
    star: str
    hash: str
    month: str
    months: str
    dot: str
    slash: str
    dash: str

    says_recorded: tuple[str, ...]
    """Beginnings of words, any of which says that a call is recorded. So below."""
    says_stored: tuple[str, ...]
    says_same_service: tuple[str, ...]
    hedges: tuple[str, ...]
    """"May be recorded": what leaves it open whether it is."""
    conditions: tuple[str, ...]
    """What makes the service depend on a yes."""

    def duration(self, months: int) -> str:
        """`three months`; from thirteen on in digits."""
        number = self.numbers[months - 1] if months <= TWELVE else str(months)
        return f"{number} {self.month if months == 1 else self.months}"

    def address(self, address: str) -> str:
        """`example.com/privacy` as it is spoken."""
        bare = address.strip().partition("://")[2] or address.strip()
        spoken = bare.rstrip("/").replace("-", f" {self.dash} ").replace("/", f" {self.slash} ")
        return " ".join(spoken.replace(".", f" {self.dot} ").split())

    def keys(self, code: str) -> str:
        """`*2` as it is spoken."""
        names = {"*": self.star, "#": self.hash, **{str(digit): name for digit, name in enumerate(self.digits)}}
        return " ".join(names.get(key, key) for key in code)
