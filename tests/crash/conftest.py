"""What every test with a server of its own has: ports nobody else uses, and prompts that were spoken once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.ports import Ports, reserved


@pytest.fixture
def ports() -> Iterator[Ports]:
    """A block of ports for one test."""
    with reserved() as block:
        yield block


@pytest.fixture(scope="session")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where spoken prompts are kept for all servers of this run, workers included."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if base.name.startswith("popen-") else base) / "prompts"
