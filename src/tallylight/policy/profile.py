"""The two ways of asking the one question."""

from enum import StrEnum


class Profile(StrEnum):
    """LAW: what the law, strictly read, and the settings allow. HOUSE: LAW, and everybody is told first and an answer
    that was asked for is waited for. Every live conversation runs under HOUSE; no setting turns it off.
    """

    LAW = "law"
    HOUSE = "house"
