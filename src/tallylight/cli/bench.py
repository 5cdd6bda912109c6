"""`tallylight bench`: what the product costs on this machine, beside the limits it is to keep."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallylight.cli.command import house_command, new_group
from tallylight.cli.options import Json
from tallylight.cli.output import print_json, print_rich, say

if TYPE_CHECKING:
    from tallylight.bench.figures import Figure, Findings

bench = new_group(
    "Benchmarks: each prints its method and its figures beside a limit or a peer measured in the same run."
)

Folder = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Where to write; on the disk that recordings will be on. [default: TMPDIR]"),
]
Legs = Annotated[int | None, typer.Option(help="Legs that speak at once. [default: 30 % of a core, found by trying]")]
Seconds = Annotated[float, typer.Option(help="How long each repetition is.")]
Repeats = Annotated[int, typer.Option(help="Repetitions, of which the median counts.")]


@house_command(bench, "capture")
def capture(
    legs: Legs = None, seconds: Seconds = 4.0, repeats: Repeats = 5, folder: Folder = None, as_json: Json = False
) -> None:
    """Receive, gate, seal and log calls of two legs."""
    from tallylight.bench.media import MediaLoad
    from tallylight.bench.media import capture as run

    say("This takes a few minutes; other work on the machine shows in the figures.")
    _print(run(MediaLoad(legs=legs, seconds=seconds, repeats=repeats, folder=folder)), as_json=as_json)


@house_command(bench, "relay")
def relay(
    legs: Legs = None, seconds: Seconds = 4.0, repeats: Repeats = 5, folder: Folder = None, as_json: Json = False
) -> None:
    """Relay and record calls of two legs."""
    from tallylight.bench.media import MediaLoad
    from tallylight.bench.media import relay as run

    say("This takes a few minutes; other work on the machine shows in the figures.")
    _print(run(MediaLoad(legs=legs, seconds=seconds, repeats=repeats, folder=folder)), as_json=as_json)


@house_command(bench, "sip")
def sip(
    calls: Annotated[int, typer.Option(help="Whole calls in each repetition.")] = 200,
    rate: Annotated[float, typer.Option(help="Whole calls a second.")] = 20.0,
    warm_up: Annotated[int, typer.Option(help="Whole calls before those that count.")] = 100,
    layer_calls: Annotated[int, typer.Option(help="Calls of the SIP layer alone, at 100 a second.")] = 600,
    repeats: Repeats = 3,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """The SIP layer alone, a peer's, and whole calls through `tallylight serve`."""
    from tallylight.bench.sip import CallLoad
    from tallylight.bench.sip import sip as run

    say("This takes a few minutes; other work on the machine shows in the figures.")
    load = CallLoad(calls=calls, rate=rate, warm_up=warm_up, layer_calls=layer_calls, repeats=repeats, folder=folder)
    _print(run(load), as_json=as_json)


@house_command(bench, "writer")
def writer(
    rate: Annotated[list[int] | None, typer.Option(help="Events a second offered; may be repeated.")] = None,
    seconds: Seconds = 5.0,
    repeats: Repeats = 3,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Events a second into the database and the ledger, and how long each waits."""
    from tallylight.bench.writer import WriterLoad
    from tallylight.bench.writer import writer as run

    rates = tuple(rate) if rate else WriterLoad.rates
    _print(run(WriterLoad(rates=rates, seconds=seconds, repeats=repeats, folder=folder)), as_json=as_json)


@house_command(bench, "decide")
def decide(
    decisions: Annotated[int, typer.Option(help="Decisions in each repetition.")] = 5_000,
    repeats: Repeats = 5,
    as_json: Json = False,
) -> None:
    """Decisions a second: with every reason, for an unchanged situation, and against people and places."""
    from tallylight.bench.decide import DecideLoad, decide_bench

    _print(decide_bench(DecideLoad(decisions=decisions, repeats=repeats)), as_json=as_json)


def _print(findings: "Findings", *, as_json: bool) -> None:
    if as_json:
        print_json(findings.as_json())
        return
    from rich.table import Table

    from tallylight.bench.figures import machine

    table = Table(box=None, pad_edge=False, show_edge=False)
    for title in ("figure", "value", "", "least to most", "limit", ""):
        table.add_column(title, justify="right" if title == "value" else "left", no_wrap=title == "value")
    for figure in findings.figures:
        table.add_row(*_row(figure))
    print_rich(f"{findings.benchmark} on {machine()}", *findings.method, "", table)


def _row(figure: "Figure") -> tuple[str, ...]:
    spread = f"{_number(figure.spread[0])} to {_number(figure.spread[1])}" if figure.spread else ""
    kept = {True: "kept", False: "MISSED", None: ""}[figure.met]
    return figure.name, _number(figure.value), figure.unit, spread, figure.limit, kept


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
