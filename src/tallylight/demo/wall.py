"""The live wall: one line per call, one lamp per party, and why it burns as it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

LAMPS = {
    "recording": Text("● rec", style="bold red"),
    "paused": Text("● paused", style="bold yellow"),
    "off": Text("○ dark", style="dim"),
}
ABSENT = Text("·", style="dim")
ROLES = ("customer", "agent", "system")


@dataclass
class Line:
    """One call as the server last told it."""

    title: str
    state: str = "dialling"
    seconds: float = 0.0
    lamps: dict[str, str] = field(default_factory=dict)
    reason: str = ""


class Wall:
    """What is known of each call; `lines` by conversation once that is known."""

    def __init__(self, titles: Sequence[str]) -> None:
        self.lines = {title: Line(title=title) for title in titles}
        self.history: list[tuple[str, str, str]] = []
        """(call, role, lamp) each time a lamp changed."""

    def show(self, title: str, call: Mapping[str, object]) -> None:
        """Take over one call from the server's status."""
        line = self.lines[title]
        line.state = "sealing" if call["ended"] else "talking"
        line.seconds = float(str(call["offset_ms"])) / 1000
        parties = call["parties"]
        assert isinstance(parties, list)
        for party in parties:
            role, lamp = str(party["role"]), str(party["lamp"])
            if line.lamps.get(role) != lamp:
                self.history.append((title, role, lamp))
            line.lamps[role] = lamp
            if role == "customer":
                line.reason = str(party["reason"])

    def ended(self, title: str) -> None:
        line = self.lines[title]
        line.state = "sealed"
        line.lamps = {}

    def render(self) -> RenderableType:
        table = Table(expand=True, title="Tallylight · who is being recorded now", title_style="bold")
        table.add_column("call", no_wrap=True)
        table.add_column("", no_wrap=True)
        table.add_column("s", justify="right", no_wrap=True)
        for role in ROLES:
            table.add_column("our voice" if role == "system" else role, no_wrap=True)
        table.add_column("why (customer)", ratio=1, overflow="ellipsis", no_wrap=True)
        for line in self.lines.values():
            table.add_row(
                line.title,
                line.state,
                f"{line.seconds:.0f}",
                *(LAMPS.get(line.lamps.get(role, ""), ABSENT) for role in ROLES),
                line.reason,
            )
        legend = Text.assemble(
            LAMPS["recording"], "  spoken words are stored   ", LAMPS["paused"], "  nothing is stored for now   ",
            LAMPS["off"], "  nothing is stored",
        )  # fmt: skip
        return Group(table, legend)
