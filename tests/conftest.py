"""What holds for every test: no skip goes unseen in CI, and no test fails for a slow machine's sake."""

import os
from collections.abc import Generator

import hypothesis
import pytest

from tests import needs

hypothesis.settings.register_profile(
    "house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.register_profile("soak", hypothesis.settings.get_profile("house"), max_examples=5_000)
hypothesis.settings.load_profile("house")


def _unseen(report: pytest.TestReport | pytest.CollectReport) -> str | None:
    """The reason of a skip that CI does not accept."""
    if "CI" not in os.environ or report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return None
    _, _, reason = report.longrepr if isinstance(report.longrepr, tuple) else ("", 0, str(report.longrepr))
    reason = reason.removeprefix("Skipped: ")
    return None if reason.startswith(needs.SHARED_REASON) else reason


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test fails, unless it is for a missing ../shared."""
    report = yield
    reason = _unseen(report)
    if reason is not None:
        report.outcome, report.longrepr = "failed", f"skipped where CI is set: {reason}"
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that is skipped as a whole."""
    report = yield
    reason = _unseen(report)
    if reason is not None:
        report.outcome, report.longrepr = "failed", f"skipped where CI is set: {reason}"
    return report
