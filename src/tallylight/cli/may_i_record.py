"""`tallylight may-i-record`."""

from enum import StrEnum
from typing import Annotated

import typer

from tallylight.cli.options import Json
from tallylight.cli.output import print_json, print_rich


class Recorder(StrEnum):
    """Who makes the recording."""

    CUSTOMER = "customer"
    COMPANY = "company"


def may_i_record(
    me: Annotated[str, typer.Option("--me", metavar="PLACE", help="Where you are: DK, US-NY, or a phone number.")],
    them: Annotated[
        str, typer.Option("--them", metavar="PLACE", help="Where they are; `unknown` where you cannot tell.")
    ],
    recorder: Annotated[Recorder, typer.Option("--as", help="As whom you record.")] = Recorder.CUSTOMER,
    purpose: Annotated[
        str | None,
        typer.Option(metavar="PURPOSE", help="What for: dispute_evidence, for a company quality_assurance."),
    ] = None,
    they_announced: Annotated[
        bool, typer.Option("--they-announced", help="The company's own message says the call may be recorded.")
    ] = False,
    lang: Annotated[str, typer.Option(metavar="LANGUAGE", help="Of the answer and the words to say.")] = "en",
    as_json: Json = False,
) -> None:
    """Whether you may record a call, what would make it lawful, and the words to say. Not legal advice."""
    import time

    from tallylight.cli.opinion import as_text, as_tree, read_question
    from tallylight.consent.advice import advice
    from tallylight.law.pack import default_pack
    from tallylight.policy.may_i_record import may_i_record as answered

    pack, words = default_pack(), advice(lang)
    question = read_question(
        me,
        them,
        recorder=recorder.value,
        purpose=purpose,
        they_announced=they_announced,
        at_ms=time.time_ns() // 1_000_000,
        pack=pack,
    )
    opinion = answered(question, pack)
    if as_json:
        print_json(as_tree(question, opinion, words, pack))
    else:
        print_rich(*as_text(question, opinion, words, pack))
