"""The promises are kept by the whole server, so they are tested on it: with the same ports and prompts as the crashes."""

from tests.crash.conftest import ports, prompts

__all__ = ["ports", "prompts"]
