"""Each benchmark runs at the least load and prints its figures. What they are is not judged here."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tallylight.bench.figures import Figure, median_figure
from tallylight.bench.kernel import cpu_s_of, udp_drops
from tallylight.bench.voices import speech
from tallylight.capture.vad import Vad
from tallylight.cli.commands import app

TINY = {
    "capture": ("--legs", "4", "--seconds", "0.3", "--repeats", "1"),
    "relay": ("--legs", "4", "--seconds", "0.3", "--repeats", "1"),
    "sip": ("--calls", "2", "--warm-up", "1", "--rate", "4", "--layer-calls", "20", "--repeats", "1"),
    "writer": ("--rate", "200", "--seconds", "0.2", "--repeats", "1"),
}
FIGURES = {
    "capture": {"CPU per packet, voice activity included", "times the bare loop", "two-leg calls per core"},
    "relay": {
        "CPU per packet, voice activity included",
        "two-leg calls per core",
        "packets that came back to the speakers",
    },
    "sip": {"SIP layer alone", "aiosipua's user agent", "whole call", "tracks sealed"},
    "writer": {"200 events/s offered: p99", "SQLite alone, single commits"},
}


@pytest.mark.parametrize("name", TINY)
def test_it_runs_and_prints_its_figures(name: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["bench", name, *TINY[name], "--folder", str(tmp_path), "--json"], catch_exceptions=False
    )
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["benchmark"], bool(found["method"]), bool(found["machine"])) == (name, True, True)
    figures = {figure["name"]: figure for figure in found["figures"]}
    assert figures.keys() >= FIGURES[name]
    assert all(figure["value"] >= 0 for figure in figures.values())
    assert list(tmp_path.iterdir()) == []
    if name in ("capture", "relay"):
        assert figures["packets received of those sent"]["value"] > 90
        assert figures["sound stored of what was received"]["value"] == 100
    if name == "relay":
        assert figures["packets that came back to the speakers"]["value"] > 50
    if name == "sip":
        assert figures["tracks sealed"]["value"] == 4


def test_decisions() -> None:
    done = CliRunner().invoke(app, ["bench", "decide", "--decisions", "20", "--repeats", "1", "--json"])
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    limits = {figure["name"]: figure["at_least"] for figure in found["figures"]}
    assert limits["full decisions, customer and agent"] == 10_000
    assert limits["unchanged situations, customer and agent"] == 100_000
    assert {f"full decisions, {people} people" for people in (3, 5, 10)} <= set(limits)


def test_people_get_a_table(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["bench", "writer", *TINY["writer"], "--folder", str(tmp_path)])
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("writer on ")
    assert "SQLite alone, single commits" in done.stdout


def test_a_limit_is_kept_or_missed() -> None:
    assert Figure(name="a", value=9, unit="µs", at_most=10).met is True
    assert Figure(name="a", value=11, unit="µs", at_most=10).met is False
    assert Figure(name="a", value=999, unit="calls", at_least=1_000).met is False
    assert Figure(name="a", value=1, unit="").met is None
    middle = median_figure("a", [5.0, 1.0, 3.0], "µs", at_most=3)
    assert (middle.value, middle.spread, middle.met, middle.limit) == (3.0, (1.0, 5.0), True, "≤ 3")


def test_the_kernel_is_asked_for_the_right_numbers() -> None:
    assert udp_drops([1]) == 0
    assert cpu_s_of(os.getpid()) > 0


def test_the_spoken_sound_is_speech_to_the_detector() -> None:
    vad = Vad()
    sound = speech(seconds=8)
    vad.feed(0, sound)
    vad.flush()
    assert len(sound) == 64_000
    assert 2_000 <= vad.speech_ms <= 8_000
