"""The house and the phones each test here may use."""

from collections.abc import Generator

import pytest

from tests.telephony.rtp.phones import House, opened


@pytest.fixture
def house() -> Generator[House]:
    with opened() as made:
        yield made
