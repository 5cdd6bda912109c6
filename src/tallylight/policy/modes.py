"""Whose voice a project's mode asks for at this moment: a wish, which law and people may narrow."""

from tallylight.law.vocabulary import Mode, Role

_ALWAYS = frozenset({Role.AGENT, Role.SYSTEM})
_WITH_RECEIPTS = frozenset({Mode.VOICE_RECEIPTS, Mode.VOICE_RECEIPTS_ALLOW_CUSTOMER})


def wanted(mode: Mode, role: Role, *, customer_on: bool, receipt: bool) -> bool:
    """Whether the mode asks for the voice of somebody in this role.

    `customer_on`: the agent has switched the customer on, which only some modes heed. `receipt`: a voice receipt is open.
    """
    if mode is Mode.BOTH or mode is Mode.NONE:
        return mode is Mode.BOTH
    if role in _ALWAYS:
        return True
    return (customer_on and mode.allows_switch) or (receipt and mode in _WITH_RECEIPTS)


WANTED = {
    Mode.BOTH: "This project records everybody who may be recorded.",
    Mode.AGENT_ONLY: "This project records the employee only.",
    Mode.AGENT_ONLY_ALLOW_CUSTOMER: "This project records the employee, and others where the employee asks for it.",
    Mode.VOICE_RECEIPTS: "This project records the employee, and others in voice receipts.",
    Mode.VOICE_RECEIPTS_ALLOW_CUSTOMER: (
        "This project records the employee, and others in voice receipts or where the employee asks for it."
    ),
}
"""What to say where the mode asks for somebody's voice."""

NOT_WANTED = {
    Mode.AGENT_ONLY: "this project records the employee only",
    Mode.AGENT_ONLY_ALLOW_CUSTOMER: "the employee has not switched it on",
    Mode.VOICE_RECEIPTS: "this project records others in voice receipts only",
    Mode.VOICE_RECEIPTS_ALLOW_CUSTOMER: "no voice receipt is open and the employee has not switched it on",
}
"""Why the mode does not ask for the voice of somebody besides the employee."""

NOBODY = "This project records nobody."
