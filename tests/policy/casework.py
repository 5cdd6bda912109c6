"""Legal cases for tests: written as the closed form has them, judged as `tallylight law check` judges them."""

import json

from tallylight.law.pack import default_pack
from tallylight.policy.case_answer import CaseAnswer, answer
from tallylight.policy.cases import Case, read_case

PACK = default_pack()

Table = dict[str, object]


def party(role: str, place: str | None, consent: object = None, **more: object) -> Table:
    """`place` is a country (`DK`), a country and region (`US-CA`) or None."""
    country, _, region = (place or "").partition("-")
    return {"role": role, "country": country or None, "region": region or None, "consent": consent, **more}


def said(method: str, given: bool | None = True, **more: object) -> Table:
    return {"method": method, "given": given, **more}


STAYED = said("notice_continue")
PRESSED = said("dtmf")
REFUSED = said("dtmf", given=False)
SIGNED = said("written")


def case(agent: str | None, customer: str | None, consent: object = None, **more: object) -> Table:
    """A call between an agent and a customer; `agent_` fields are the agent's, `others` are further parties."""
    own = {name.removeprefix("agent_"): more.pop(name) for name in list(more) if name.startswith("agent_")}
    theirs = {name.removeprefix("customer_"): more.pop(name) for name in list(more) if name.startswith("customer_")}
    others = more.pop("others", [])
    assert isinstance(others, list)
    people = [
        party("agent", agent, own.pop("consent", None), **own),
        party("customer", customer, consent, **theirs),
        *others,
    ]
    return {"id": "C", "parties": people, "purpose": "quality", "legal_basis": None, "sector": None, **more}


def read(table: Table) -> Case:
    return read_case(json.dumps(table), PACK.places)


def judged(table: Table) -> CaseAnswer:
    return answer(read(table), PACK)
