"""`tallylight consent`: what a person can be handed about their answer, and what they may have said in advance."""

from typing import TYPE_CHECKING, Annotated

import typer

from tallylight.cli.command import house_command, new_group
from tallylight.cli.options import Conversation, Data, Json
from tallylight.cli.output import print_bytes, print_json
from tallylight.cli.standing import standing

if TYPE_CHECKING:
    from tallylight.app.store import Store
    from tallylight.consent.receipts.facts import Facts

consent = new_group("What people were told and answered.")
consent.add_typer(standing, name="standing")

FORMATS = ("dpv", "kantara", "vcon")


@house_command(consent, "receipt")
def receipt(
    conversation: Conversation,
    data: Data,
    party: Annotated[str, typer.Option(metavar="PARTY", help="A party id, or a role that only one party has.")],
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="dpv (ISO/IEC TS 27560), kantara (a signed JWT), vcon")
    ] = "dpv",
    as_json: Json = False,
) -> None:
    """A receipt from the stored events: the notice heard, the act and its evidence, the purposes, how to withdraw."""
    from tallylight.catalogue.receipts import receipt_facts
    from tallylight.cli.folder import naming_what_exists, opened
    from tallylight.config.words import one_of
    from tallylight.consent.errors import ConsentError
    from tallylight.consent.receipts import dpv, vcon
    from tallylight.database.engine import read_only
    from tallylight.ids import ConversationId

    if form not in FORMATS:
        raise ConsentError(f"The format {one_of(form, FORMATS)}.", code="format_unknown")
    with opened(data) as store, naming_what_exists(store):
        with read_only(store.engine) as connection:
            facts, place = receipt_facts(
                connection,
                workspace=store.workspace,
                keys=store.keyring,
                conversation=ConversationId(conversation),
                who=party,
                withdraw_code=store.configuration.flow.withdraw_code,
                issued_ms=store.clock.wall_ms(),
            )
        if form == "kantara":
            _print_jwt(facts, store, as_json=as_json)
        else:
            print_json(dpv.receipt(facts) if form == "dpv" else vcon.attachment(facts, party=place))


def _print_jwt(facts: "Facts", store: "Store", *, as_json: bool) -> None:
    """Signed with the key of the ledger's checkpoints, whose text `ledger checkpoint` shows."""
    from tallylight.consent.receipts.kantara import claims, jwt

    key = store.ledger_key
    public_key = key.verification_key(store.workspace)
    content = claims(facts, public_key=public_key)
    name, key_hash, _ = public_key.split("+", 2)
    signed = jwt(content, key_id=f"{name}+{key_hash}", public_key=key.public_key, sign=key.sign_statement)
    if as_json:
        print_json({"jwt": signed, "claims": content})
    else:
        print_bytes(signed.encode() + b"\n")
