"""Reading `tallylight.toml`: what is accepted, and what is said of everything else."""

import datetime
import ipaddress
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.app.store import all_settings
from tallylight.config.configuration import BalancingTest, Configuration, Preferences
from tallylight.config.endpoint import Endpoint, parse_endpoint
from tallylight.config.errors import ConfigError
from tallylight.config.file import FILE_NAME, load, parse
from tallylight.config.lines import key_lines
from tallylight.config.template import TEMPLATE
from tallylight.config.trial import trial
from tallylight.law.vocabulary import Mode

SMALL = """\
[controller]
name = "Nordic Widgets"
country = "DK"
policy_address = "widgets.example/privacy"

[agents]
country = "SE"

[project.main]
language = "da"
mode = "both"
purpose = "quality_assurance"
basis = "consent"
retention_months = 6
necessity = "orders are only ever spoken"
"""


def rejection(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert caught.value.code == "config_invalid"
    return caught.value.message.splitlines()


def test_what_is_not_written_is_strict() -> None:
    read = parse(SMALL)
    assert read.controller.terms_acknowledged_by is None, "nobody has signed, so nothing may be recorded"
    assert read.agents.employee_notice is False
    assert read.sip.allowed == () == read.sip.credentials, "nobody may call"
    assert read.projects[0].proof_ground is None
    assert read.projects[0].balancing_test is None
    assert read.recording == Preferences(), "nothing is chosen for the whole house"
    assert (read.projects[0].kind, read.projects[0].receipt_basis) == ("omni", "consent")
    assert read.projects[0].prompts, "everybody is told and asked"
    assert read.flow.prompt_seconds is None
    assert read.trial is False


def test_everything_that_can_be_written() -> None:
    text = (
        SMALL.replace('country = "SE"', 'country = "US-CA"\nemployee_notice = true')
        + """\
agent_basis = "legitimate_interests"
start_paused = true
conference = "stop_on_third_party"
sector = "investment_services"
prompts = false
minors = true
balancing_test = { id = "LIA-1", approved_by = "Jane Doe", approved_on = 2026-11-24, review_by = 2027-11-24 }
proof_ground = "Art. 17(3)(e)"
proof_months = 12
numbers = ["70 10 10 10", "Sales"]

[project."after hours"]
language = "en"
mode = "none"
purpose = "compliance"
basis = "legal_obligation"
retention_months = 60

[project.sales]
kind = "outbound"
language = "en"
mode = "voice_receipts_allow_customer"
necessity = "orders are only ever spoken"
purpose = "voice_receipt"
basis = "consent"
receipt_basis = "legitimate_interests"
agents_hear_others = true
several_receipts = true
receipt_months = 60
numbers = ["sales 2"]

[recording]
mode = "agent_only"
conference = "agent_and_customer"
start_paused = false
agents_hear_others = false
several_receipts = false
retention_months = 12
receipt_months = 24

[flow]
repeat_wait_s = 2.5
agent_ring_s = 20
withdraw_code = "*7"
pause_code = "*82"

[sip]
listen = "0.0.0.0:5060"
advertise = "192.0.2.7"
connect = "sip:agent@192.0.2.9:5060"
transports = ["udp"]
allowed = ["192.0.2.0/24", "2001:db8::1"]
realm = "widgets"
credentials = { alice = "s3cret" }
outbound_user = "us"
outbound_password = "theirs"
stay_on_udp = ["192.0.2.9"]
rtp_ports = [20000, 20999]

[http]
listen = "[::1]:8080"

[retention]
sweep_minutes = 15

[storage]
database = "postgresql://us@db/recordings"
"""
    )
    read = parse(text, source="here")
    assert read.source == "here"
    assert read.projects[0].numbers == ("+4570101010", "sales")
    main, _, sales = read.projects
    assert main.preferences == Preferences(
        mode="both", conference="stop_on_third_party", start_paused=True, retention_months=6
    )
    assert (main.sector, main.prompts, main.minors) == ("investment_services", False, True)
    assert sales.preferences == Preferences(
        mode="voice_receipts_allow_customer", agents_hear_others=True, several_receipts=True, receipt_months=60
    )
    assert (sales.kind, sales.receipt_basis) == ("outbound", "legitimate_interests")
    assert read.recording == Preferences(
        mode="agent_only",
        conference="agent_and_customer",
        start_paused=False,
        agents_hear_others=False,
        several_receipts=False,
        retention_months=12,
        receipt_months=24,
    )
    assert read.projects[0].necessity == "orders are only ever spoken"
    assert read.projects[0].balancing_test == BalancingTest(
        id="LIA-1",
        approved_by="Jane Doe",
        approved_on=datetime.date(2026, 11, 24),
        review_by=datetime.date(2027, 11, 24),
    )
    assert read.flow.agent_ring_s == 20
    assert read.flow.pause_code == "*82"
    assert read.sip.listen == Endpoint(host="0.0.0.0", port=5060)
    assert read.sip.allowed == (ipaddress.ip_network("192.0.2.0/24"), ipaddress.ip_network("2001:db8::1/128"))
    assert read.sip.credentials[0].user == "alice"
    assert read.sip.outbound is not None
    assert read.sip.rtp_ports == (20_000, 20_999)
    assert read.http == Endpoint(host="::1", port=8080)
    assert read.retention.sweep_minutes == 15
    assert read.database == "postgresql://us@db/recordings"
    assert "s3cret" not in repr(read), "a password is never shown"
    assert "theirs" not in repr(read)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            ('purpose = "quality_assurance"', 'purpose = "quality_assurence"'),
            "tallylight.toml, line 12: project.main.purpose: 'quality_assurence' is none of quality_assurance, training,"
            " service_improvement, documentation, voice_receipt, compliance, security, marketing, dispute_evidence;"
            " did you mean quality_assurance?.",
        ),
        (
            ("retention_months = 6", "retention_month = 6"),
            "tallylight.toml, line 14: project.main.retention_month: unknown key; the keys here are start_paused,"
            " agents_hear_others, several_receipts, attested_consent, retention_months, receipt_months, kind, language, mode,"
            " conference, purpose, basis, agent_basis, receipt_basis, proof_ground, proof_months, balancing_test, necessity,"
            " sector, prompts, minors, spoken_answers, numbers; did you mean retention_months",
        ),
        (
            (
                "retention_months = 6",
                'retention_months = 6\nbalancing_test = { id = "1", approved_by = "J", approved_on = 2026-11-24,'
                " review_by = 2026-11-24 }",
            ),
            "project.main.balancing_test.review_by: it must come after approved_on.",
        ),
        (('country = "DK"', 'country = "DNK"'), "line 3: controller.country: 'DNK' is no country"),
        (('country = "DK"', 'country = "XQ"'), "line 3: controller.country: 'XQ' is no country"),
        (('name = "Nordic Widgets"', 'name = " "'), "line 2: controller.name: it is empty."),
        (("retention_months = 6", "retention_months = 0"), "line 14: project.main.retention_months: should be greater"),
        (("retention_months = 6", 'retention_months = "6"'), "should be a valid integer, not '6'."),
        (('country = "SE"', ""), "line 6: agents.country: missing; add it."),
        (
            ('country = "SE"', 'country = "SE"\nemployee_notice = "yes"'),
            "agents.employee_notice: should be a valid boolean",
        ),
        (
            ("[project.main]", "[projects.main]"),
            "projects: unknown key; the keys here are controller, agents, recording, project,",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(change: tuple[str, str], sentence: str) -> None:
    assert any(sentence in line for line in rejection(SMALL.replace(*change, 1)))


def test_every_mistake_is_named_at_once() -> None:
    text = SMALL.replace('mode = "both"', 'mode = "all"').replace('basis = "consent"', 'basis = "yes"')
    assert [line.split(": ")[1] for line in rejection(text)] == ["project.main.mode", "project.main.basis"]


@pytest.mark.parametrize(
    ("addition", "sentence"),
    [
        ('[flow]\npause_code = "*2"', "flow.pause_code: '*2' cannot be told from withdraw_code '*2'."),
        ('[flow]\nminor_code = "*3"', "flow.minor_code: '*3' cannot be told from pause_code '*3'."),
        ('[flow]\nreceipt_code = "*41"', "flow.receipt_code: '*41' cannot be told from customer_code '*4'."),
        ('[flow]\npause_code = "*21"', "flow.pause_code: '*21' cannot be told from withdraw_code '*2'."),
        ('[flow]\npause_code = "3"', "is no code: a star and one to four digits, such as *2."),
        ("[flow]\nno_media_s = 0", "flow.no_media_s: should be greater than 0, not 0."),
        ("[flow]\nno_media_s = nan", "flow.no_media_s: "),
        ("[flow]\nmax_call_s = inf", "flow.max_call_s: "),
        ('[flow]\nprompt_seconds = 0.2\n[sip]\nallowed = ["192.0.2.1"]', "cut prompts tell nobody anything"),
        ('[flow]\nprompt_seconds = 0.2\n[sip]\nallowed = ["0.0.0.0/0"]', "cut prompts tell nobody anything"),
        ('[flow]\nprompt_seconds = 0.2\n[sip]\ncredentials = { a = "b" }', "cut prompts tell nobody anything"),
        ('[sip]\noutbound_user = "a"', "sip.outbound_password: missing; a user and a password go together."),
        ('[sip]\nallowed = ["192.0.2.1/24"]', "is no network, such as 192.0.2.0/24 or 192.0.2.7."),
        ('[sip]\nlisten = "5060"', "is no host with a port, such as 127.0.0.1:5070."),
        ('[sip]\nconnect = "agent"', "is no SIP URI, such as sip:agent@192.0.2.7:5060."),
        ("[sip]\nrtp_ports = [20000]", "write the first and the last port, such as [10000, 19999]."),
        ('[sip]\ntransports = ["tls"]', "sip.transports: 'tls' is none of udp, tcp."),
        ('[storage]\ndatabase = "mysql://db"', "storage.database: 'mysql://db' is no postgresql:// URL."),
    ],
)
def test_what_cannot_be_meant(addition: str, sentence: str) -> None:
    lines = rejection(f"{SMALL}\n{addition}\n")
    assert any(sentence in line for line in lines), lines


def test_cut_prompts_are_for_this_machine() -> None:
    read = parse(f'{SMALL}\n[flow]\nprompt_seconds = 0.2\n[sip]\nallowed = ["127.0.0.0/8", "::1"]\n')
    assert read.flow.prompt_seconds == 0.2


def test_a_number_reaches_one_project() -> None:
    other = SMALL[SMALL.index("[project.main]") :].replace("main", "other")
    with_numbers = f'{SMALL}numbers = ["70101010"]\n{other}numbers = ["+45 70 10 10 10"]\n'
    assert rejection(with_numbers) == [
        f"tallylight.toml, line {with_numbers.splitlines().index('[project.other]') + 8}: project.other.numbers:"
        " '+45 70 10 10 10' already reaches project main; one number reaches one project."
    ]
    assert "project main already takes every call that has no other" in rejection(SMALL + other)[0]


def test_which_project_a_call_reaches() -> None:
    other = SMALL[SMALL.index("[project.main]") :].replace("main", "other")
    read = parse(f'{SMALL}numbers = ["70101010", "Sales"]\n{other}')
    assert [named(read, text) for text in ("+4570101010", "0045 70101010", "sales", "70101011", "anybody")] == [
        "main",
        "main",
        "main",
        "other",
        "other",
    ]
    alone = parse(f'{SMALL}numbers = ["sales"]\n')
    assert named(alone, "support") is None, "a call that no project wants is not recorded under another's settings"


def named(configuration: Configuration, dialled: str) -> str | None:
    project = configuration.project_for(dialled)
    return None if project is None else project.name


def test_text_that_is_no_toml() -> None:
    assert rejection("[controller\n")[0].startswith("tallylight.toml is no TOML file: ")


def test_no_file_is_the_trial(tmp_path: Path) -> None:
    assert load(tmp_path) == trial()


def test_a_file_that_cannot_be_read_is_no_trial(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).symlink_to(tmp_path / "gone")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes("# Ærø".encode("latin-1"))
    with pytest.raises(ConfigError, match="not in UTF-8"):
        load(tmp_path)


def test_passwords_are_not_for_everybody(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_text(SMALL + '[sip]\ncredentials = { alice = "s3cret" }\n')
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="Others can read the passwords") as caught:
        load(tmp_path)
    assert "s3cret" not in caught.value.message
    path.chmod(0o640)
    assert load(tmp_path).sip.credentials[0].password == "s3cret"


def test_the_template_is_valid_and_records_nobody() -> None:
    read = parse(TEMPLATE)
    assert read.controller.terms_acknowledged_by is None
    assert read.agents.employee_notice is False
    assert [settings.mode for settings in all_settings(read).values()] == [Mode.NONE]


def test_two_lines_of_the_template_switch_recording_on() -> None:
    lines = TEMPLATE.splitlines()
    two = [line for line in lines if line.startswith(('# mode = "both"', "# necessity"))]
    assert len(two) == 2
    read = parse("\n".join(line.removeprefix("# ") if line in two else line for line in lines))
    assert [settings.mode for settings in all_settings(read).values()] == [Mode.BOTH]


def test_the_template_shows_the_defaults() -> None:
    """Uncommented, every `# key = value` that is a default changes nothing."""
    shown = parse(TEMPLATE)
    examples = (
        *("terms_acknowledged_by", "numbers", "proof_ground", "prompt_seconds", "listen", "advertise", "connect"),
        *('mode = "both"', "necessity", "balancing_test", "receipt_basis", "receipt_months", "sector"),
        *("stay_on_udp", "outbound", "alice", "database", "["),
        *("judged_as", "term = ", "words", "en = "),
    )
    lines = []
    for line in TEMPLATE.splitlines():
        bare = line.removeprefix("# ")
        default = line.startswith("# ") and " = " in bare.partition("#")[0] and not bare.startswith(examples)
        lines.append(bare if default else line)
    assert lines != TEMPLATE.splitlines()
    read = parse("\n".join(lines))
    assert all_settings(read) == all_settings(shown)
    assert replace(read, recording=shown.recording) == shown


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("127.0.0.1:5070", "127.0.0.1", 5070), ("[::1]:0", "::1", 0), ("pbx.example:1", "pbx.example", 1)],
)
def test_endpoints(text: str, host: str, port: int) -> None:
    endpoint = parse_endpoint(text)
    assert (endpoint.host, endpoint.port) == (host, port)
    assert str(endpoint) == text


@pytest.mark.parametrize("text", ["", "127.0.0.1", ":5070", "::1:5070", "host:70000", "host:-1", "a b:1", "host:5070x"])
def test_no_endpoints(text: str) -> None:
    with pytest.raises(ConfigError, match="no host with a port"):
        parse_endpoint(text)


@given(st.text())
def test_no_text_makes_parse_fail_otherwise(text: str) -> None:
    key_lines(text)
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        pass
    with pytest.raises(ConfigError):
        parse(text)


VALUES = st.one_of(
    st.integers().map(str),
    st.floats().map(str),
    st.booleans().map(lambda value: str(value).lower()),
    st.text(st.characters(exclude_characters='"\\', codec="utf-8", min_codepoint=32)).map(lambda value: f'"{value}"'),
)


@given(st.sampled_from([line for line in TEMPLATE.splitlines() if " = " in line]), VALUES)
def test_no_value_makes_parse_fail_otherwise(line: str, value: str) -> None:
    key = line.removeprefix("# ").partition(" = ")[0]
    refused = ""
    try:
        parse(TEMPLATE.replace(line, f"{key} = {value}", 1))
    except ConfigError as error:
        refused = error.message
    assert refused.startswith("tallylight.toml") or not refused
