"""`tallylight serve`: every room joined, from the lock on the folder to the line `ready`, and back in good order."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from logging.handlers import QueueListener
from pathlib import Path
from typing import TYPE_CHECKING

from tallylight.app.addresses import canonical_or_anonymous, user_at
from tallylight.app.applying import InForce
from tallylight.app.figures import RunningFigures
from tallylight.app.logs import log_to
from tallylight.app.objecting import objections_of
from tallylight.app.orders import Orders
from tallylight.app.standing import Heeded, standing_yeses_of
from tallylight.app.store import Store, lock, open_store, prepare_projects
from tallylight.app.voices import open_recogniser, prepare_prompts
from tallylight.catalogue.addresses import names_nobody
from tallylight.clock import Clock
from tallylight.config.endpoint import Endpoint
from tallylight.config.errors import ConfigError
from tallylight.consent.objection import StandingObjection
from tallylight.consent.standing_yes import StandingYes
from tallylight.database.faults import WriterFaults
from tallylight.health.alarms import AlarmKind
from tallylight.ids import TrackId
from tallylight.law.pack import Pack
from tallylight.ledger.commitment import JsonValue
from tallylight.live.collector import calm_collector
from tallylight.live.control import ControlServer
from tallylight.live.recovery import finish_interrupted
from tallylight.live.resealing import Ended, Resealing
from tallylight.live.runner import ConversationRunner
from tallylight.live.sealing import ReadFrames, Sealer
from tallylight.live.services import LiveServices
from tallylight.policy.places import places_of
from tallylight.policy.settings import Settings
from tallylight.policy.situation import Place, PlaceEvidence
from tallylight.speech.espeak import EspeakSynthesiser
from tallylight.speech.recognition import AnswerRecogniser
from tallylight.speech.synthesis import Synthesiser
from tallylight.telephony.b2bua.desk import Desk
from tallylight.telephony.b2bua.switchboard import Switchboard
from tallylight.telephony.flow.prompts import Prompts
from tallylight.telephony.flow.settings import FlowSettings
from tallylight.telephony.rtp.engine import MediaEngine
from tallylight.telephony.rtp.network import MediaNetwork
from tallylight.telephony.sip.admission import Admission
from tallylight.telephony.sip.agent import UserAgent
from tallylight.telephony.sip.board import Credentials, SipOptions
from tallylight.telephony.sip.digest import DigestServer
from tallylight.telephony.sip.errors import SipError
from tallylight.telephony.sip.network import SipNetwork, Transport
from tallylight.telephony.sip.transport import SocketNetwork
from tallylight.telephony.sip.uri import SipUri
from tallylight.vault.alarm import Alarm as LogAlarm
from tallylight.vault.alarm import AlarmKind as LogAlarmKind
from tallylight.vault.disk import Disk, RealDisk
from tallylight.vault.live_log import LiveLog

if TYPE_CHECKING:
    from tallylight.web.api.health import Failing

logger = logging.getLogger(__name__)

EXIT_S = 9.5
"""How long after SIGTERM the process is gone, whatever hangs."""
STOP_S = 8.0
"""How long a stopping server waits for its calls to be sealed; what is not is sealed at the next start."""

_LOG_TROUBLE = frozenset({LogAlarmKind.QUEUE_FULL, LogAlarmKind.DISK_FULL, LogAlarmKind.FILE_DEAD})
"""What stands until the log says that it stores again."""
_LOG_ALARMS = {
    LogAlarmKind.QUEUE_FULL: AlarmKind.LOG_BEHIND,
    LogAlarmKind.DISK_FULL: AlarmKind.DISK_FULL,
}


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """What the command line says; None leaves it to `tallylight.toml`."""

    data: Path
    sip: Endpoint | None = None
    http: Endpoint | None = None
    connect: str | None = None
    advertise: str | None = None


def serve(options: ServeOptions) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status."""
    options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with lock(options.data):
        logs = log_to(options.data / "logs")
        try:
            asyncio.run(_serve(options, logs))
        finally:
            logs.stop()
    return 0


async def _serve(options: ServeOptions, logs: QueueListener) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as stack:
        server = await Server.start(options, stack)
        calm_collector()
        sys.stdout.write(f"ready {server.line()}\n")
        sys.stdout.flush()
        await stopping.wait()
        logger.info("stopping")
        _exit_in_time(logs)
        await server.end_calls()


def _exit_in_time(logs: QueueListener) -> None:
    """A disk or a database that hangs must not keep a stopping process: what is not sealed then is at the next start."""

    def give_up() -> None:
        logger.error("stopping took longer than %g s; the next start seals what is left", EXIT_S)
        last_lines = threading.Thread(target=logs.stop, daemon=True)
        last_lines.start()
        last_lines.join(0.3)
        os._exit(1)

    timer = threading.Timer(EXIT_S, give_up)
    timer.daemon = True
    timer.start()


class Server:
    """One running process. Made by `start`, which registers on the stack how each thing is put away again."""

    def __init__(
        self, options: ServeOptions, store: Store, pack: Pack, settings: dict[str, Settings], disk: Disk
    ) -> None:
        configuration = store.configuration
        self.disk = disk
        self.options = options
        self.store = store
        self.pack = pack
        self.in_force = InForce(store, settings)
        self.objections = objections_of(store)
        self.standing_yeses = standing_yeses_of(store)
        self._heeded = Heeded(self.standing_yeses, configuration)
        self.loop = asyncio.get_running_loop()
        self.sealing = ThreadPoolExecutor(max_workers=4, thread_name_prefix="sealing")
        self.resealing = Resealing(
            clock=store.clock, pool=self.sealing, seal=lambda ended: self._seal(ended, again=True), post=self._post
        )
        self.sip_endpoint = options.sip or configuration.sip.listen or Endpoint(host="127.0.0.1", port=5060)
        self.http_endpoint = options.http or configuration.http
        self.advertise = options.advertise or configuration.sip.advertise
        connect = options.connect or configuration.sip.connect
        if connect is None:
            raise ConfigError("No agent is configured: name one with --connect sip:agent@HOST:PORT.")
        self.target = SipUri.parse(connect)
        self._log: LiveLog | None = None
        self._log_trouble: str | None = None
        self._sealer: Sealer | None = None
        self._desk: Desk | None = None
        self.switchboard = Switchboard(desk=lambda: self.desk, target=self.target, is_ours=self._is_ours)

    @classmethod
    async def start(
        cls,
        options: ServeOptions,
        stack: AsyncExitStack,
        *,
        clock: Clock | None = None,
        disk: Disk | None = None,
        faults: WriterFaults | None = None,
        network: SipNetwork | None = None,
        media: MediaNetwork | None = None,
        synthesiser: Synthesiser | None = None,
    ) -> "Server":
        """Recover, then open every door. Raises TallylightError with what to do.

        The machine's clock, disk, commits, sockets and voice stand where no others are given: a simulation gives all.
        """
        loop = asyncio.get_running_loop()
        store = await loop.run_in_executor(
            None, lambda: open_store(options.data, owner=True, clock=clock, disk=disk, faults=faults)
        )
        stack.callback(store.close)
        pack, settings = await loop.run_in_executor(None, prepare_projects, store)
        server = cls(options, store, pack, settings, disk or RealDisk())
        stack.callback(server.sealing.shutdown, wait=False, cancel_futures=True)
        stack.callback(server.resealing.stop)
        await server._recover()
        server._open_log(stack)
        await server._open_phones(stack, network, media, synthesiser)
        await server._open_doors(stack)
        return server

    def line(self) -> str:
        """What the `ready` line says: where the doors are."""
        parts = [f"sip {self.sip_endpoint}", f"agent {self.target}"]
        if self.http_endpoint is not None:
            parts.insert(1, f"http {self.http_endpoint}")
        return ", ".join(parts) + (" (TRIAL profile)" if self.store.configuration.trial else "")

    @property
    def desk(self) -> Desk:
        assert self._desk is not None
        return self._desk

    @property
    def log(self) -> LiveLog:
        assert self._log is not None
        return self._log

    # -- starting -----------------------------------------------------------------------------------------------------

    async def _recover(self) -> None:
        folder = self.store.live_folder
        folder.mkdir(mode=0o700, exist_ok=True)
        sealer = self._sealer_with(lambda epoch: (), lambda track: None)
        found = await self.loop.run_in_executor(None, lambda: finish_interrupted(folder, sealer, disk=self.disk))
        if found.interrupted or found.destroyed_records:
            logger.warning(
                "recovered: %d conversations interrupted, %d undecided records destroyed",
                found.interrupted,
                found.destroyed_records,
            )

    def _sealer_with(self, read: ReadFrames, release: Callable[[TrackId], None]) -> Sealer:
        store = self.store
        return Sealer(
            workspace=store.workspace,
            clock=store.clock,
            engine=store.engine,
            writer=store.writer,
            keyring=store.keyring,
            objects=store.objects,
            chronicle=store.chronicle,
            alarms=store.alarms,
            metrics=store.metrics,
            read=read,
            release=release,
        )

    def _open_log(self, stack: AsyncExitStack) -> None:
        log = self._log = LiveLog(self.store.live_folder, on_alarm=self.on_log_alarm, disk=self.disk)
        stack.callback(log.close, 2.0)
        self._sealer = self._sealer_with(log.read, log.release)

    def on_log_alarm(self, alarm: LogAlarm) -> None:
        """What the live log has to say, on its own thread."""
        if alarm.kind is LogAlarmKind.RECOVERED:
            self._log_trouble = None
            logger.warning("the live log stores again")
            return
        if alarm.kind in _LOG_TROUBLE:
            self._log_trouble = alarm.message
        if alarm.kind is LogAlarmKind.QUEUE_FULL:
            self._post(self._stop_recording)
        kind = _LOG_ALARMS.get(alarm.kind, AlarmKind.LOG_FAILED)
        self.store.alarms.raise_alarm(kind, alarm.message, missing_ms=alarm.dropped_ms)

    def _stop_recording(self) -> None:
        """The live log drops what it is given: no lamp may go on saying that it is stored. Calls go on."""
        for runner in self.switchboard.running:
            runner.fail("the disk does not follow")

    async def _open_phones(
        self,
        stack: AsyncExitStack,
        network: SipNetwork | None,
        media: MediaNetwork | None,
        synthesiser: Synthesiser | None,
    ) -> None:
        store, configuration = self.store, self.store.configuration
        sip, endpoint = configuration.sip, self.sip_endpoint
        if synthesiser is None:
            espeak = synthesiser = EspeakSynthesiser(cache=store.directory / "cache" / "prompts")
            stack.callback(espeak.close)
        projects = self.in_force.settings.values()
        prompts = await prepare_prompts(synthesiser, configuration, projects)
        recogniser = await open_recogniser(stack, projects)
        engine = MediaEngine(
            clock=store.clock,
            bind=endpoint.host,
            advertise=self.advertise or endpoint.host,
            ports=sip.rtp_ports,
            network=media,
        )
        digest = None
        if sip.credentials:
            digest = DigestServer(sip.realm, {login.user: login.password for login in sip.credentials}, os.urandom(32))
        network = network or SocketNetwork(
            host=endpoint.host,
            port=endpoint.port,
            advertise=self.advertise,
            transports=frozenset(Transport(name.upper()) for name in sip.transports),
        )
        agent = UserAgent(
            clock=store.clock,
            network=network,
            admission=Admission(sip.allowed, digest),
            on_call=self.switchboard.on_call,
            options=SipOptions(stay_on_udp=frozenset(sip.stay_on_udp)),
        )
        self._desk = self._make_desk(prompts, engine, agent, network, recogniser)
        engine.start()
        stack.callback(engine.stop)
        await agent.start()
        self.sip_endpoint = Endpoint(host=endpoint.host, port=network.advertised(Transport.UDP)[1])
        stack.push_async_callback(agent.stop)

    def _make_desk(
        self,
        prompts: Prompts,
        engine: MediaEngine,
        agent: UserAgent,
        network: SipNetwork,
        recogniser: AnswerRecogniser | None,
    ) -> Desk:
        store, configuration = self.store, self.store.configuration
        flow, outbound = configuration.flow, configuration.sip.outbound
        country = configuration.controller.country.partition("-")[0]
        return Desk(
            clock=store.clock,
            live=LiveServices(
                clock=store.clock,
                writer=store.writer,
                keyring=store.keyring,
                log=self.log,
                chronicle=store.chronicle,
                alarms=store.alarms,
                post=self._post,
                said_no=self.standing_yeses.said_no,
            ),
            pack=self.pack,
            flow=FlowSettings(
                repeat_wait_s=flow.repeat_wait_s,
                ring_s=flow.agent_ring_s,
                no_media_s=flow.no_media_s,
                max_call_s=flow.max_call_s,
                withdraw_code=flow.withdraw_code,
                pause_code=flow.pause_code,
                customer_code=flow.customer_code,
                receipt_code=flow.receipt_code,
                minor_code=flow.minor_code,
                code_wait_s=flow.code_wait_s,
                proof_after_s=flow.proof_after_s,
            ),
            prompts=prompts,
            recogniser=recogniser,
            engine=engine,
            user_agent=agent,
            agent_place=Place(code=configuration.agents.country, evidence=PlaceEvidence.SITE),
            agent_employee_notice=configuration.agents.employee_notice,
            outbound_credentials=(
                Credentials(username=outbound.user, password=outbound.password) if outbound is not None else None
            ),
            places_of=places_of,
            objection_of=self._objection_of,
            standing_yes_of=self._standing_yes_of,
            canonical=lambda text: canonical_or_anonymous(text, country),
            caller_uri=lambda caller: user_at(caller, *network.advertised(Transport.UDP)),
            register=self._begin_conversation,
            close_conversation=self._close_conversation,
            settings_for=self._settings_for,
        )

    async def _open_doors(self, stack: AsyncExitStack) -> None:
        self.store.metrics.registry.register(
            RunningFigures(switchboard=self.switchboard, desk=self.desk, log=self.log, writer=self.store.writer)
        )
        orders = Orders(self.store, self.switchboard, self.log, self.loop, self.objections, self.standing_yeses)
        control = ControlServer(self.store.directory, {**orders.handlers(), "apply": self._apply})
        await control.start()
        stack.push_async_callback(control.stop)
        sweeping = self.loop.create_task(orders.sweep_regularly(self.store.configuration.retention.sweep_minutes * 60))
        stack.callback(sweeping.cancel)
        if self.http_endpoint is not None:
            # Imported here: a server without HTTP needs none of it.
            from tallylight.web.api.application import create_app
            from tallylight.web.server import serve_http

            app = create_app(Status(self), self.store.metrics)
            http = await serve_http(app, self.http_endpoint.host, self.http_endpoint.port)
            stack.push_async_callback(http.stop)
            self.http_endpoint = Endpoint(host=self.http_endpoint.host, port=http.port)

    # -- running ------------------------------------------------------------------------------------------------------

    def _post(self, callback: Callable[[], None]) -> None:
        try:
            self.loop.call_soon_threadsafe(callback)
        except RuntimeError:
            logger.warning("the loop is closed: a commit came too late to be acted on")

    async def _objection_of(self, address: str) -> StandingObjection | None:
        if names_nobody(address):
            return None
        return await asyncio.to_thread(self.objections.find, address)

    async def _standing_yes_of(self, address: str, settings: Settings) -> StandingYes | None:
        if names_nobody(address):
            return None
        return await asyncio.to_thread(self._heeded.find, address, settings)

    def _settings_for(self, dialled: SipUri) -> Settings:
        settings = self.in_force.settings_for(dialled.plain_user)
        if settings is None:
            raise SipError(404)
        return settings

    async def _apply(self, request: Mapping[str, JsonValue]) -> JsonValue:
        return (await self.in_force.apply(self.desk.prompts)).to_json()

    def _is_ours(self, target: SipUri) -> bool:
        return target.host in (self.sip_endpoint.host, self.advertise) and target.port in (None, self.sip_endpoint.port)

    def _begin_conversation(self, runner: ConversationRunner) -> None:
        self.switchboard.register(runner)
        self.store.metrics.call_started()

    async def _close_conversation(self, runner: ConversationRunner, outcome: str, abandoned: bool) -> None:
        """End the conversation, wait until it is written, and seal its tracks on a worker thread."""
        written = asyncio.Event()
        try:
            runner.end(outcome, abandoned=abandoned, done=written.set)
            # For as long as the database takes nothing: a server that is stopped meanwhile leaves it to the next start.
            await written.wait()
            ended = Ended(
                conversation=runner.conversation,
                project=runner.settings.project,
                expected_ms=runner.tracks.expected_ms(),
                offset_ms=runner.offset_ms(),
            )
            if not await self.loop.run_in_executor(self.sealing, self._seal, ended):
                self.resealing.later(ended)
        finally:
            self.switchboard.forget(runner.conversation)
            self.store.metrics.call_ended(direction="inbound", outcome=outcome)

    def _seal(self, ended: Ended, *, again: bool = False) -> bool:
        assert self._sealer is not None
        return self._sealer.seal_conversation(
            ended.conversation, ended.project, ended.expected_ms, ended.offset_ms, again=again
        )

    async def end_calls(self) -> None:
        """Hang up and seal what can be sealed in time."""
        try:
            await asyncio.wait_for(self.switchboard.close(), STOP_S)
        except TimeoutError:
            logger.warning("some calls are not sealed yet; the next start does it")

    def failing(self) -> list[tuple[str, str]]:
        """What keeps this server from recording, as (check, what is wrong)."""
        found = []
        if self.store.writer.failing:
            found.append(("database", "The database refused the last commit. Look at its disk."))
        trouble = self._log_trouble
        if trouble is not None:
            found.append(("log", trouble))
        if self._log is None:
            found.append(("recovery", "Recovery after the last stop is not finished."))
        return found


class Status:
    """A `ServerStatus` for the web room."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def failing(self) -> "Sequence[Failing]":
        from tallylight.web.api.health import Failing

        return [Failing(check=check, detail=detail) for check, detail in self._server.failing()]
