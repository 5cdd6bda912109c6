"""The standing yeses of a data folder: given after their text was read, and heeded where it is still true."""

import datetime
import hashlib
import logging
from collections.abc import Mapping

from tallylight.app.objecting import register_of
from tallylight.app.store import Store, all_settings
from tallylight.app.wordings import own_wordings
from tallylight.config.configuration import Configuration
from tallylight.config.file import load
from tallylight.config.words import one_of
from tallylight.consent.errors import ConsentError, NoticeError, PurposeError
from tallylight.consent.notices import LANGUAGES, wording
from tallylight.consent.standing_yes import StandingYes
from tallylight.consent.wording.form import Wording
from tallylight.database.events import JsonValue
from tallylight.ids import new_id
from tallylight.law.iso8601 import iso_utc
from tallylight.policy.settings import Settings
from tallylight.policy.standing_yes import may_record_customers, shortfall, untrue
from tallylight.rights.standing_yeses import StandingYeses

logger = logging.getLogger(__name__)


def standing_yeses_of(store: Store) -> StandingYeses:
    """Those of its workspace, every project's."""
    return register_of(store, StandingYeses)


def agreed_to(store: Store, *, purpose: str, until: str, text: str, language: str, evidence: str) -> StandingYes:
    """What somebody agrees to now, read against `tallylight.toml` as it is now; `until`: the day that ends it, YYYY-MM-DD.

    Raises ConfigError, PurposeError (`purpose_unused`) where no project records customers for the purpose, ConsentError
    for what is no day, and NoticeError where the text is true of none of those projects, with all that is wrong with it.
    """
    configuration = load(store.directory)
    expires_ms = _start_of(until)
    settings = [each for each in all_settings(configuration).values() if may_record_customers(each)]
    known = dict.fromkeys(each.purpose_name for each in settings)
    if not known:
        raise PurposeError("No project records customers: there is nothing to agree to.", code="purpose_unused")
    if purpose not in known:
        raise PurposeError(
            f"Customers are recorded for other purposes: {one_of(purpose, known)}.", code="purpose_unused"
        )
    words = _words(own_wordings(configuration), language)
    withdraw_code = configuration.flow.withdraw_code
    found = min(
        (
            untrue(text, each, expires_ms=expires_ms, withdraw_code=withdraw_code, words=words)
            for each in settings
            if each.purpose_name == purpose
        ),
        key=len,
    )
    if found:
        wrong = "\n".join(f"{each.element.value}: {each.message}" for each in found)
        raise NoticeError(f"This text is no consent to what is recorded:\n{wrong}", code="wording_invalid")
    now_ms = store.clock.wall_ms()
    return StandingYes(
        id=new_id(now_ms),
        purpose=purpose,
        given_ms=now_ms,
        expires_ms=expires_ms,
        evidence=evidence,
        notice=hashlib.sha256(text.encode()).hexdigest(),
        text=text,
        language=language,
    )


class Heeded:
    """The standing yeses that calls of this process rest on. Methods block: never call them on the media loop."""

    def __init__(self, yeses: StandingYeses, configuration: Configuration) -> None:
        self._yeses = yeses
        self._flow = configuration.flow
        self._wordings = own_wordings(configuration)

    def find(self, address: str, settings: Settings) -> StandingYes | None:
        """The one of a caller that carries a call which begins now under these settings, for as long as it may last."""
        if not may_record_customers(settings):
            return None
        standing = self._yeses.find(address, settings.purpose_name)
        if standing is None:
            return None
        try:
            words = _words(self._wordings, standing.language)
        except NoticeError as error:
            logger.warning("standing yes %s is not heeded: %s", standing.id, error.message)
            return None
        why = shortfall(
            standing,
            settings,
            until_ms=self._yeses.clock.wall_ms() + round(self._flow.max_call_s * 1000),
            withdraw_code=self._flow.withdraw_code,
            words=words,
        )
        if why is not None:
            logger.info("standing yes %s is not heeded: %s", standing.id, why)
            return None
        return standing


def standing_yes_json(standing: StandingYes) -> Mapping[str, JsonValue]:
    """What the command line prints of one."""
    return {
        "standing_yes": standing.id,
        "purpose": standing.purpose,
        "given": iso_utc(standing.given_ms),
        "expires": iso_utc(standing.expires_ms),
        "evidence": standing.evidence,
        "notice": standing.notice,
        "text": standing.text,
        "language": standing.language,
    }


def _words(own: Mapping[str, Wording], language: str) -> Wording:
    """Raises NoticeError (`language_unknown`), naming those there are."""
    if language in own:
        return own[language]
    if language not in LANGUAGES:
        raise NoticeError(f"The language {one_of(language, (*LANGUAGES, *own))}.", code="language_unknown")
    return wording(language)


def _start_of(day: str) -> int:
    """The first instant of a day (UTC), in ms."""
    try:
        start = datetime.datetime.combine(datetime.date.fromisoformat(day), datetime.time(), datetime.UTC)
    except ValueError:
        raise ConsentError(f"{day!r} is no day: write YYYY-MM-DD.", code="expiry_invalid") from None
    return round(start.timestamp() * 1000)
