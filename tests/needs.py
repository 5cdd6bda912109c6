"""What some tests need and not every machine has: each marker skips by name, with a reason that says what to install.

    from tests import needs

    @needs.sipp
    def test_...

Where the variable CI is set, tests/conftest.py turns every skip into a failure, except those for a missing ../shared.
"""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
SHARED = CHECKOUT.parent / "shared"
"""Research data that lies beside the checkout where the project is developed; read there, never copied."""

SHARED_REASON = "needs ../shared"
"""How the one reason begins that CI accepts."""


def _program(name: str, package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        shutil.which(name) is None, reason=f"needs {name}: `make tools` installs Debian's {package}"
    )


def postgresql_programs() -> Path | None:
    """The folder that holds initdb and pg_ctl: on the PATH, or the newest version where Debian keeps them."""
    found = shutil.which("initdb")
    if found is not None and shutil.which("pg_ctl") is not None:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: _number(path.parents[1].name))
    return versions[-1].parent if versions else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def shared(*parts: str) -> pytest.MarkDecorator:
    """Skip where this path under ../shared is missing: `@needs.shared("samples", "speech")`."""
    path = SHARED.joinpath(*parts)
    return pytest.mark.skipif(not path.exists(), reason=f"{SHARED_REASON}: {'/'.join(parts)} is missing")


sipp = _program("sipp", "sip-tester")
baresip = _program("baresip", "baresip-core")
postgresql = pytest.mark.skipif(
    postgresql_programs() is None, reason="needs postgresql: `make tools` installs Debian's postgresql"
)
atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="needs atheris: it has no wheel for this machine's Python"
)
root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: sipp sends its media through a raw socket")
