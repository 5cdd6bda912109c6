"""The house of the demo: one controller in Denmark, three projects, callers from this machine alone."""

from pathlib import Path

from tallylight.config.file import FILE_NAME

CONFIGURATION = """\
[controller]
name = "Example Ltd"
country = "DK"
policy_address = "example.com/privacy"
terms_acknowledged_by = "the demo"

[agents]
country = "DK"
employee_notice = true

[recording]
mode = "both"
retention_months = 3

# Whoever calls to complain is recorded for quality, on their own yes alone.
[project.support]
language = "en"
purpose = "quality_assurance"
basis = "consent"
necessity = "How a complaint was met cannot be told from notes."

# Orders are documented: a legitimate interest, where the law of everybody's place takes that for a ground.
[project.orders]
language = "en"
purpose = "documentation"
basis = "legitimate_interests"
necessity = "An order is made aloud and nowhere else."
balancing_test = { id = "LIA-1", approved_by = "Jane Doe", approved_on = 2026-01-01, review_by = 2099-01-01 }
numbers = ["orders"]

[project.ordrer]
language = "da"
purpose = "documentation"
basis = "legitimate_interests"
necessity = "En bestilling bliver kun aftalt mundtligt."
balancing_test = { id = "LIA-1", approved_by = "Jane Doe", approved_on = 2026-01-01, review_by = 2099-01-01 }
numbers = ["ordrer"]

[sip]
allowed = ["127.0.0.0/8"]
"""
"""Its `tallylight.toml`."""


def write_house(directory: Path) -> None:
    """Make the data folder and its configuration."""
    directory.mkdir(mode=0o700)
    (directory / FILE_NAME).write_text(CONFIGURATION, encoding="utf-8")
