"""The complete profile a house runs under until somebody writes a `tallylight.toml`: good for trying, and marked as such."""

import ipaddress

from tallylight.config.configuration import (
    Agents,
    Configuration,
    Controller,
    Flow,
    Preferences,
    Project,
    Retention,
    Sip,
)

TRIAL = "trial"


def trial() -> Configuration:
    """Example Ltd in Denmark, calls from this machine alone. No ground to keep proof of consent beyond an erasure."""
    return Configuration(
        source=TRIAL,
        controller=Controller(
            name="Example Ltd",
            country="DK",
            policy_address="example.com/privacy",
            terms_acknowledged_by="trial",
        ),
        agents=Agents(country="DK", employee_notice=True),
        projects=(
            Project(
                name=TRIAL,
                language="en",
                preferences=Preferences(mode="both"),
                purpose="quality_assurance",
                basis="consent",
                agent_basis="contract",
                proof_ground=None,
                proof_months=36,
                necessity=TRIAL,
                numbers=(),
            ),
        ),
        flow=Flow(),
        sip=Sip(allowed=(ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))),
        http=None,
        retention=Retention(),
        database=None,
        trial=True,
    )
