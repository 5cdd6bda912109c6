"""`tallylight explain`."""

from typing import TYPE_CHECKING, Annotated

import typer

from tallylight.cli.options import Conversation, Data, Json
from tallylight.cli.output import print_json, print_rich

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tallylight.catalogue.explanation import Explanation
    from tallylight.catalogue.segments import Segment
    from tallylight.catalogue.steps import PartySteps
    from tallylight.ids import PartyId

LAMP_STYLE = {"recording": "bold red", "paused": "yellow", "off": "dim"}


def explain(
    conversation: Conversation,
    data: Data,
    at: Annotated[
        float | None,
        typer.Option(min=0, metavar="SECONDS", help="One instant, in seconds since the call was answered."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Why each lamp was as it was: decisions, rules with citations, the consent and what proves it."""
    from tallylight.catalogue.explanation import explain as explained
    from tallylight.cli.folder import naming_what_exists, opened
    from tallylight.database.engine import read_only
    from tallylight.ids import ConversationId
    from tallylight.law.pack import default_pack

    at_ms = None if at is None else round(at * 1000)
    with opened(data) as store, naming_what_exists(store), read_only(store.engine) as connection:
        explanation = explained(
            connection,
            workspace=store.workspace,
            conversation=ConversationId(conversation),
            today=default_pack(),
            at_ms=at_ms,
        )
    if as_json:
        print_json(explanation.to_json())
    else:
        _print(explanation)


def _print(explanation: "Explanation") -> None:
    from rich.text import Text

    from tallylight.law.iso8601 import iso_utc

    trial = "  TRIAL" if explanation.trial else ""
    outcome = explanation.outcome or "running"
    parts: list[RenderableType] = [
        Text(
            f"{explanation.conversation}  {iso_utc(explanation.started_ms)}  {explanation.project}, {outcome}{trial}",
            "bold",
        ),
        Text(f"settings {explanation.settings[:16]}, law {explanation.pack[:16]}", "dim"),
    ]
    for segment in explanation.segments:
        parts += _segment(segment)
    for notice in explanation.notices:
        parts += [
            Text(""),
            Text(f"{notice.heard_ms / 1000:.1f} s  heard ({notice.language}):", "bold"),
            Text(notice.text),
        ]
    for failure in explanation.failures:
        missing = "" if failure.missing_ms is None else f", {failure.missing_ms / 1000:.1f} s missing"
        parts += [Text(""), Text(f"{failure.at_ms / 1000:.1f} s  {failure.kind}: {failure.why}{missing}", "bold")]
    parts += _flags(explanation)
    parts += _terms(explanation)
    for person in explanation.steps:
        parts += _steps(person)
    replay = explanation.replay
    if replay.unavailable is not None:
        verdict = f"The decisions could not be made again: {replay.unavailable.rstrip('.')}."
    elif replay.agrees:
        verdict = f"All {replay.checked} decisions come out the same when made again from the stored history."
    else:
        verdict = f"{len(replay.differences)} of {replay.checked} decisions come out differently when made again."
    if explanation.erased_payloads:
        verdict += f" {explanation.erased_payloads} events were erased; their commitments stay."
    print_rich(*parts, Text(""), Text(verdict), *_today(explanation))


def _flags(explanation: "Explanation") -> "list[RenderableType]":
    from rich.text import Text

    roles = _roles(explanation)
    lines: list[RenderableType] = [Text("")] if explanation.flags else []
    for flag in explanation.flags:
        evidence = "" if flag.evidence is None else f" ({flag.evidence})"
        who = roles.get(flag.party, flag.party)
        lines.append(Text(f"{flag.at_ms / 1000:.1f} s  FLAGGED {who}: {flag.why}{evidence}", "bold yellow"))
    return lines


def _roles(explanation: "Explanation") -> "dict[PartyId, str]":
    return {segment.party: segment.role.value for segment in explanation.segments}


def _terms(explanation: "Explanation") -> "list[RenderableType]":
    from rich.text import Text

    from tallylight.law.iso8601 import iso_utc

    roles = _roles(explanation)
    lines: list[RenderableType] = [Text("")] if explanation.terms else []
    for term in explanation.terms:
        receipt = "" if term.receipt is None else f" {term.receipt}"
        until = "gone" if term.deadline_ms is None else f"until {iso_utc(term.deadline_ms)}"
        law = "" if term.floor_ms is None else f", which a law asks for until {iso_utc(term.floor_ms)}"
        lines.append(Text(f"{roles.get(term.party, term.party)}  {term.purpose.value}{receipt}: {until}{law}"))
        lines += [Text(f"    {each.at_ms / 1000:.1f} s  {each.kind}: {each.why}") for each in term.changes]
    return lines


def _steps(person: "PartySteps") -> "list[RenderableType]":
    from rich.text import Text

    if person.recorded_from_ms is None:
        return [Text(f"\n{person.role.value}  not recorded, so no step was needed", "bold")]
    return [
        Text(f"\n{person.role.value}  recorded from {person.recorded_from_ms / 1000:.1f} s: the four steps", "bold"),
        *(
            Text(f"    {'held' if step.held else 'NOT HELD'}: {step.sentence}", "" if step.held else "bold red")
            for step in person.steps
        ),
    ]


def _today(explanation: "Explanation") -> "list[RenderableType]":
    from rich.text import Text

    today, then = explanation.today, explanation.pack[:16]
    if today.same_pack:
        return [Text("The law data of today are those it was judged by.")]
    name = f"The law data of today ({today.pack[:16]})"
    if today.unavailable is not None:
        return [Text(f"{name} could not be held against it: {today.unavailable.rstrip('.')}.")]
    if not today.differences:
        return [Text(f"{name} say the same of it.")]
    lines: list[RenderableType] = [
        Text(f"{name} say otherwise; `tallylight law diff {then} shipped --data DIR`:", "bold")
    ]
    for each in today.differences:
        reason = each.today.deciding
        since = f"since {reason.effective_from}, " if reason.effective_from else ""
        dated = f"; {since}checked {reason.checked_at}" if reason.checked_at else ""
        lines += [
            Text(
                f"{_span(each.then)}  then {each.then.lamp.value} by {each.then.deciding.rule}, today {each.today.lamp.value}:"
            ),
            Text(f"    {reason.text} [{reason.rule}: {reason.cite}{dated}]"),
        ]
    return lines


def _span(segment: "Segment") -> str:
    until = "now" if segment.until_ms is None else f"{segment.until_ms / 1000:.1f} s"
    return f"{segment.from_ms / 1000:.1f} s to {until}  {segment.role.value}"


def _segment(segment: "Segment") -> "list[RenderableType]":
    from rich.text import Text

    from tallylight.catalogue.segments import said_in_advance

    heading = Text(f"\n{_span(segment)}  ")
    heading.append(segment.lamp.value, LAMP_STYLE[segment.lamp.value])
    lines: list[RenderableType] = [heading]
    for reason in segment.reasons:
        lines.append(Text(f"    {reason.text} [{reason.rule}: {reason.cite}]"))
    for reason in segment.passed_over:
        lines.append(Text(f"    passed over: {reason.text} [{reason.rule}: {reason.cite}]", "dim"))
    if segment.actions:
        lines.append(Text(f"    would open it, or is owed: {', '.join(segment.actions)}"))
    consent = segment.consent
    if segment.consent_erased:
        lines.append(Text(f"    consent: {consent.state.value}; the act was erased with the person"))
    elif consent.evidence is not None:
        said = f"in advance, {said_in_advance(consent)}" if consent.in_advance else consent.evidence
        lines.append(Text(f"    consent: {consent.state.value}, {said}"))
    return lines
