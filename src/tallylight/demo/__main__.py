"""`make demo`: eight calls at once, a wall of lamps, and what is left of them afterwards."""

import asyncio
import contextlib
import json
import shutil
import sys
import tempfile
import wave
from collections.abc import Coroutine
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from tallylight.clock import SystemClock
from tallylight.demo.house import write_house
from tallylight.demo.phone import LOOPBACK, Phone, PhoneCall, PhoneRing
from tallylight.demo.script import PICKS_UP_AFTER_S, RULED, SCENES, Meeting, Scene, Speech
from tallylight.demo.server import DemoFailed, ServerProcess, run, run_json
from tallylight.demo.wall import Wall
from tallylight.live.control import request
from tallylight.speech.espeak import EspeakSynthesiser
from tallylight.telephony.sip.uri import SipUri

AGENT_PORTS = (21_000, 21_199)
CALLER_PORTS = (21_200, 21_399)
LOOK_EVERY_S = 0.2
SNAPSHOT_EVERY = 50
"""Looks between two pictures of the wall where the output is no terminal."""
WIDTH = 120
LIMIT_S = 85.0
HOUSE = ("house.", "setting.")
"""How rules begin that are no law."""
OUTPUT = Path("demo-recording.wav")


def free_port() -> int:
    """A UDP and TCP port nobody uses now."""
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


class Demo:
    """One run."""

    def __init__(self, data: Path, console: Console) -> None:
        self.data = data
        self.console = console
        self.speech = Speech()
        self.wall = Wall([scene.title for scene in SCENES])
        self.meetings = {scene.number: Meeting() for scene in SCENES}
        self.conversations: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # -- the calls ----------------------------------------------------------------------------------------------------

    def agent_rings(self, ring: PhoneRing) -> None:
        self._spawn(self._take(ring))

    async def _take(self, ring: PhoneRing) -> None:
        scene = next(scene for scene in SCENES if scene.number == ring.caller.plain_user)
        ring.ring()
        await asyncio.sleep(PICKS_UP_AFTER_S)
        call = await ring.answer().until_answered()
        await scene.agent(call, self.meetings[scene.number], self.speech)

    async def _place(self, scene: Scene, phone: Phone, port: int) -> None:
        call: PhoneCall = phone.call(SipUri(user=scene.dials, host=LOOPBACK, port=port))
        await call.until_answered()
        await scene.caller(call, self.meetings[scene.number], self.speech)
        await call.until_over()

    def _spawn(self, work: Coroutine[object, object, None]) -> "asyncio.Task[None]":
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def perform(self, port: int, agent: Phone) -> None:
        """Every scene at once, with the wall."""
        clock = SystemClock()
        async with contextlib.AsyncExitStack() as stack:
            first, size = CALLER_PORTS[0], (CALLER_PORTS[1] - CALLER_PORTS[0] + 1) // len(SCENES)
            phones = [
                await stack.enter_async_context(
                    Phone(clock, user=scene.number, ports=(first + n * size, first + (n + 1) * size - 1))
                )
                for n, scene in enumerate(SCENES)
            ]
            calls = [self._spawn(self._place(scene, phone, port)) for scene, phone in zip(SCENES, phones, strict=True)]
            with Live(self.wall.render(), console=self.console, refresh_per_second=5, transient=False) as live:
                looks = 0
                while await self._look() or not all(call.done() for call in calls):
                    live.update(self.wall.render())
                    looks += 1
                    if not self.console.is_terminal and looks % SNAPSHOT_EVERY == 0:
                        self.console.print(self.wall.render())
                    await asyncio.sleep(LOOK_EVERY_S)
                live.update(self.wall.render())
            for call in calls:
                call.result()

    async def _look(self) -> bool:
        """Ask the server for its calls; False once there are none."""
        running = await asyncio.to_thread(request, self.data, "status")
        assert isinstance(running, list)
        seen = set()
        for call in running:
            assert isinstance(call, dict)
            conversation = str(call["conversation"])
            title = self.conversations.get(conversation)
            if title is None:
                title = self.conversations[conversation] = await self._title_of(conversation)
            seen.add(title)
            self.wall.show(title, call)
        for title in set(self.conversations.values()) - seen:
            self.wall.ended(title)
        return bool(running)

    async def _title_of(self, conversation: str) -> str:
        """Which scene a conversation is, by its caller."""
        for entry in await self.list():
            if entry["conversation"] == conversation:
                address = customer_of(entry)["address"]
                return next(scene.title for scene in SCENES if scene.address == address)
        raise DemoFailed(f"conversation {conversation} is running and not in the list")

    # -- afterwards -----------------------------------------------------------------------------------------------------

    async def list(self) -> "list[dict[str, object]]":
        entries = await run_json(("recordings", "list", "--data", str(self.data)))
        assert isinstance(entries, list)
        return entries


def customer_of(entry: "dict[str, object]") -> "dict[str, object]":
    parties = entry["parties"]
    assert isinstance(parties, list)
    found: dict[str, object] = next(party for party in parties if party["role"] == "customer")
    return found


def seconds(value: object) -> str:
    return f"{float(str(value)):.1f}"


class Afterwards:
    """What is left of the calls, and what can be done with it: the commands anybody can give."""

    def __init__(self, demo: Demo, console: Console) -> None:
        self.demo = demo
        self.console = console
        self.data = str(demo.data)

    async def tell(self) -> None:
        entries = await self.demo.list()
        self.table(entries)
        by_title = {
            scene.title: entry
            for scene in SCENES
            for entry in entries
            if customer_of(entry)["address"] == scene.address
        }
        if len(by_title) != len(SCENES):
            raise DemoFailed(f"{len(SCENES)} calls were placed and {len(by_title)} are in the list")
        await self.rulings({title: by_title[title] for title in RULED})
        await self.play(by_title["says yes"])
        await self.explain(by_title["reads out a card"])
        await self.erase(by_title["says yes, withdraws"])
        await self.verify()

    def table(self, entries: "list[dict[str, object]]") -> None:
        table = Table(title="What is stored of whom", title_style="bold")
        for column in ("call", "party", "consent"):
            table.add_column(column, no_wrap=True)
        table.add_column("talked s", justify="right")
        table.add_column("stored s", justify="right")
        table.add_column("why")
        titles = {scene.address: scene.title for scene in SCENES}
        for entry in entries:
            parties = entry["parties"]
            assert isinstance(parties, list)
            title = titles[str(customer_of(entry)["address"])]
            for party in parties:
                table.add_row(
                    title,
                    party["role"],
                    party["consent"] if party["role"] == "customer" else "",
                    seconds(party["talked_s"]),
                    seconds(party["stored_s"]),
                    str(party["reason"]),
                )
                title = ""
            table.add_section()
        self.console.print(table)

    async def rulings(self, entries: "dict[str, dict[str, object]]") -> None:
        """One line of business, three callers: what each was told, and by which law it was ruled."""
        table = Table(title="The same order line, ruled by where the caller is", title_style="bold", show_lines=True)
        table.add_column("caller", no_wrap=True)
        table.add_column("lamp", no_wrap=True)
        for column in ("was told", "by"):
            table.add_column(column, ratio=1)
        for title, entry in entries.items():
            explanation = await run_json(("explain", str(entry["conversation"]), "--data", self.data))
            assert isinstance(explanation, dict)
            segments, notices = explanation["timeline"], explanation["notices"]
            assert isinstance(segments, list)
            assert isinstance(notices, list)
            customer = str(customer_of(entry)["party"])
            theirs = [segment for segment in segments if segment["party"] == customer]
            last = [segment for segment in theirs if segment["deciding"]["rule"] != "house.present"][-1]
            laws = [
                f"{each['rule']} ({each['cite']})" for each in last["reasons"] if not each["rule"].startswith(HOUSE)
            ]
            table.add_row(
                title.removeprefix("orders, "),
                "recorded" if float(str(customer_of(entry)["stored_s"])) else "dark",
                "\n".join(str(notice["text"]) for notice in notices),
                "\n".join(dict.fromkeys(laws[:3])),
            )
        self.console.print(table)

    async def play(self, entry: "dict[str, object]") -> None:
        conversation = str(entry["conversation"])
        command = ("recordings", "export", conversation, "--party", "customer", "--out", str(OUTPUT))
        self._show(*command)
        await run((*command, "--data", self.data))
        with wave.open(str(OUTPUT)) as sound:
            length_s = sound.getnframes() / sound.getframerate()
        stored_s = customer_of(entry)["stored_s"]
        self.console.print(f"  {OUTPUT}: {length_s:.1f} s, of which {stored_s} s were recorded after the yes.\n")

    async def explain(self, entry: "dict[str, object]") -> None:
        conversation = str(entry["conversation"])
        at_s = await self._paused_at(conversation)
        self._show("explain", conversation, "--at", f"{at_s:.1f}")
        self.console.print(
            (await run(("explain", conversation, "--at", f"{at_s:.1f}", "--data", self.data))).rstrip() + "\n"
        )

    async def _paused_at(self, conversation: str) -> float:
        """An instant at which the agent had paused."""
        explanation = await run_json(("explain", conversation, "--data", self.data))
        assert isinstance(explanation, dict)
        segments = explanation["timeline"]
        assert isinstance(segments, list)
        paused = next((segment for segment in segments if segment["lamp"] == "paused"), None)
        if paused is None:
            raise DemoFailed("nothing was paused in the call about a card")
        return float(paused["from_s"]) + 0.5

    async def erase(self, entry: "dict[str, object]") -> None:
        number = str(customer_of(entry)["address"])
        self._show("erase", "--person", number, "--json")
        certificate = await run_json(("erase", "--person", number, "--data", self.data))
        assert isinstance(certificate, dict)
        shown = {
            key: certificate[key] for key in certificate if key in ("state", "erasure", "tracks", "stays", "method")
        }
        self.console.print_json(json.dumps(shown))
        self.console.print()

    async def verify(self) -> None:
        self._show("ledger", "verify", "--json")
        self.console.print_json(json.dumps(await run_json(("ledger", "verify", "--data", self.data))))

    def _show(self, *command: str) -> None:
        self.console.print(f"[bold]$ tallylight {' '.join(command)}[/bold]", highlight=False)


async def main() -> int:
    """Run the demo. Returns the exit status."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    folder = Path(tempfile.mkdtemp(prefix="tallylight-demo-"))
    synthesiser = EspeakSynthesiser(cache=Path.home() / ".cache" / "tallylight" / "demo")
    try:
        demo = Demo(folder / "data", console)
        write_house(demo.data)
        await demo.speech.prepare(synthesiser)
        async with Phone(SystemClock(), user="agent", ports=AGENT_PORTS, on_ring=demo.agent_rings) as agent:
            port = free_port()
            server = await ServerProcess.start(demo.data, sip_port=port, agent=str(agent.uri))
            console.print(server.ready, highlight=False)
            try:
                await asyncio.wait_for(demo.perform(port, agent), LIMIT_S)
                await Afterwards(demo, console).tell()
            finally:
                status = await server.stop()
        if status:
            raise DemoFailed(f"the server exited with {status}")
    except (DemoFailed, TimeoutError) as error:
        console.print(f"[bold red]The demo failed:[/bold red] {error or 'it took too long'}")
        return 1
    finally:
        synthesiser.close()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
