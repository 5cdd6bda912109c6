"""baresip, a softphone without a head: its configuration is written here, its keys are pressed over ctrl_tcp."""

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from tests.peers.ports import LOOPBACK, Ports
from tests.peers.sound import Samples, from_pcm, write_wav

MODULES = Path("/usr/lib/baresip/modules")
PATIENCE_S = 20.0

CONFIG = """\
poll_method epoll
sip_listen {host}:{sip}
call_max_calls 4
audio_player aufile,{folder}/out.wav
audio_source aufile,{folder}/speech.wav
audio_alert aufile,{folder}/alert.wav
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
audio_txmode thread
audio_level no
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
audio_buffer 20-160
rtp_ports {first}-{last}
rtcp_mux no
jitter_buffer_type fixed
jitter_buffer_delay 2-10
net_interface {host}
module_path {modules}
module g711.so
module aufile.so
module sndfile.so
snd_path {folder}
module_tmp uuid.so
module_tmp account.so
module_app ctrl_tcp.so
module_app menu.so
ctrl_tcp_listen {host}:{control}
"""


class Baresip:
    """One running softphone: the n-th SIP port and media range of the block. It says `speech` into every call."""

    def __init__(
        self, folder: Path, user: str, ports: Ports, n: int, *, speech: Samples, answers: bool = False
    ) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.port = ports.sip(n)
        self.user = user
        control = ports.first + 90 + n
        first, last = ports.media(n)
        write_wav(folder / "speech.wav", speech)
        (folder / "config").write_text(
            CONFIG.format(
                host=LOOPBACK, sip=self.port, control=control, first=first, last=last, folder=folder, modules=MODULES
            )
        )
        mode = ";answermode=auto" if answers else ""
        (folder / "accounts").write_text(
            f"<sip:{user}@{LOOPBACK}:{self.port}>;regint=0;audio_codecs=PCMU/8000/1,PCMA/8000/1;dtmfmode=rtpevent{mode}\n"
        )
        (folder / "contacts").write_text("")
        self.events: list[Mapping[str, object]] = []
        self._answers: list[Mapping[str, object]] = []
        with (folder / "screen.log").open("wb") as screen:
            self.process = subprocess.Popen(
                ["baresip", "-f", str(folder)], stdin=subprocess.DEVNULL, stdout=screen, stderr=subprocess.STDOUT
            )
        try:
            self._control = self._connect(control)
        except BaseException:
            self.stop()
            raise
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    # -- what a person does -------------------------------------------------------------------------------------------

    def dial(self, address: str) -> None:
        self._order("dial", f"sip:service@{address}")

    def press(self, keys: str) -> None:
        """Press keys one after the other, each for as long as baresip needs to have sent it."""
        for key in keys:
            self._order("sndcode", key)

    def hang_up(self) -> None:
        self._order("hangup")

    def until(self, kind: str, *, seconds: float = PATIENCE_S) -> None:
        """Wait for an event such as CALL_ESTABLISHED."""
        self._wait(lambda: any(event.get("type") == kind for event in tuple(self.events)), kind, seconds)

    # -- what it wrote down -------------------------------------------------------------------------------------------

    def said(self) -> Samples:
        """What it has sent so far, before coding."""
        return self._dump("enc")

    def heard(self) -> Samples:
        """What it has heard so far, decoded."""
        return self._dump("dec")

    def _dump(self, which: str) -> Samples:
        found = sorted(self.folder.glob(f"dump-*{which}.wav"))
        if not found:
            return from_pcm(b"")
        data = found[-1].read_bytes()
        at = data.find(b"data")  # the header's length is written at the end of the call
        sound = data[at + 8 :] if at >= 0 else b""
        return from_pcm(sound[: len(sound) & ~1])

    # -- ctrl_tcp: netstrings of JSON ---------------------------------------------------------------------------------

    def _order(self, command: str, parameters: str = "") -> None:
        before = len(self._answers)
        message = json.dumps({"command": command, "params": parameters, "token": command}).encode()
        self._control.sendall(b"%d:%s," % (len(message), message))
        self._wait(lambda: len(self._answers) > before, f"answer to {command}", PATIENCE_S)
        assert self._answers[before].get("ok"), self._answers[before]

    def _connect(self, port: int) -> socket.socket:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return socket.create_connection((LOOPBACK, port), timeout=PATIENCE_S)
            except ConnectionRefusedError:
                screen = self.folder / "screen.log"
                assert self.process.poll() is None, screen.read_text(errors="replace")
                assert time.monotonic() < deadline, screen.read_text(errors="replace")
                threading.Event().wait(0.05)

    def _listen(self) -> None:
        self._control.settimeout(None)
        waiting = b""
        while True:
            try:
                data = self._control.recv(65_536)
            except OSError:
                return
            if not data:
                return
            waiting += data
            while b":" in waiting:
                length, _, rest = waiting.partition(b":")
                size = int(length)
                if len(rest) <= size:
                    break
                message = json.loads(rest[:size])
                waiting = rest[size + 1 :]
                (self.events if message.get("event") else self._answers).append(message)

    def _wait(self, found: Callable[[], bool], what: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not found():
            assert self.process.poll() is None, (self.folder / "screen.log").read_text(errors="replace")
            assert time.monotonic() < deadline, f"{self.user}: no {what}; {self.events}"
            threading.Event().wait(0.05)
