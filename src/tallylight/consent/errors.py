"""What can be wrong with a notice."""

from tallylight.errors import TallylightError


class NoticeError(TallylightError):
    """A notice cannot be worded; the message says what to change."""

    code = "notice_invalid"
