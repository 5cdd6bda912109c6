"""`tallylight consent standing`: a yes in advance, in writing, to one purpose, until a stated day."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from tallylight.cli.command import house_command, new_group
from tallylight.cli.options import Data, Json
from tallylight.cli.output import print_json, print_rich, say

if TYPE_CHECKING:
    from tallylight.app.store import Store

Answer = Mapping[str, object]

standing = new_group(
    "People who have agreed in writing to be recorded, for one purpose and until a day; told each time."
)

Person = Annotated[str, typer.Option(metavar="ADDRESS", help="A number or SIP address, in any spelling.")]
Evidence = Annotated[str, typer.Option(metavar="TEXT", help="How the person said so; never who they are.")]


@house_command(standing, "add")
def add(
    data: Data,
    person: Person,
    purpose: Annotated[str, typer.Option(metavar="PURPOSE", help="What a project records customers for.")],
    until: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="The day that ends it (UTC), 24 months away at most.")
    ],
    wording: Annotated[
        Path, typer.Option(metavar="FILE", help="What they agreed to, word for word, as UTF-8 text; it is linted.")
    ],
    evidence: Evidence,
    language: Annotated[str, typer.Option(metavar="CODE", help="The language of the text.")] = "en",
    as_json: Json = False,
) -> None:
    """Keep that a person agreed. They are told on each call and can withdraw on it, but are not asked until it ends."""
    from tallylight.cli.folder import by_server_or_here, order
    from tallylight.cli.notice import text_of

    agreed = {
        "purpose": purpose,
        "until": until,
        "text": text_of(wording),
        "language": language,
        "evidence": evidence,
    }
    given = by_server_or_here(
        data,
        lambda: cast("Answer", order(data, "agree", person=person, **agreed)),
        lambda store: _add_here(store, person, agreed),
    )
    if as_json:
        print_json({**given, "state": "stands"})
    else:
        say(f"Standing yes {given['standing_yes']} to {given['purpose']}: stands until {given['expires']}.")


@house_command(standing, "list")
def show(
    data: Data,
    person: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Only this person's.")] = None,
    as_json: Json = False,
) -> None:
    """Every standing yes, or one person's; whose they are, none of them says."""
    from tallylight.app.standing import standing_yes_json, standing_yeses_of
    from tallylight.cli.folder import opened
    from tallylight.law.iso8601 import iso_utc

    with opened(data) as store:
        yeses = standing_yeses_of(store)
        found = yeses.all() if person is None else yeses.of(person)
    if as_json:
        print_json([standing_yes_json(each) for each in found])
        return
    if not found:
        say("Nobody has a standing yes." if person is None else "This person has no standing yes.")
        return
    from rich.text import Text

    print_rich(
        *(
            Text(
                f"{each.id}  {each.purpose}  {iso_utc(each.given_ms)} until {iso_utc(each.expires_ms)}  {each.evidence}"
            )
            for each in found
        )
    )


@house_command(standing, "remove")
def remove(
    data: Data,
    person: Person,
    evidence: Evidence,
    purpose: Annotated[str | None, typer.Option(metavar="PURPOSE", help="[default: every one of theirs]")] = None,
    as_json: Json = False,
) -> None:
    """End a person's standing yes, on their own word; on a running call it is withdrawn at once."""
    from tallylight.cli.folder import by_server_or_here, order

    over = by_server_or_here(
        data,
        lambda: cast("Sequence[Answer]", order(data, "take_back", person=person, purpose=purpose, evidence=evidence)),
        lambda store: _remove_here(store, person, purpose, evidence),
    )
    if as_json:
        print_json([{**each, "state": "removed"} for each in over])
        return
    for each in over:
        say(f"Standing yes {each['standing_yes']} to {each['purpose']}: removed.")


def _add_here(store: "Store", person: str, agreed: Mapping[str, str]) -> Answer:
    from tallylight.app.standing import agreed_to, standing_yes_json, standing_yeses_of
    from tallylight.cli.recordings import OPERATOR

    given = standing_yeses_of(store).give(person, agreed_to(store, **agreed), actor=OPERATOR)
    return standing_yes_json(given)


def _remove_here(store: "Store", person: str, purpose: str | None, evidence: str) -> Sequence[Answer]:
    from tallylight.app.standing import standing_yes_json, standing_yeses_of
    from tallylight.cli.recordings import OPERATOR

    over = standing_yeses_of(store).take_back(person, purpose, evidence=evidence, actor=OPERATOR)
    return [standing_yes_json(each) for each in over]
