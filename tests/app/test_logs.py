"""The text log is written behind the back of whoever logs: a disk that hangs holds up no call."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallylight.app.logs import FILE_NAME, log_to


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("tallylight")
    handlers, level = list(root.handlers), ours.level
    yield
    for handler in root.handlers[:]:
        if handler not in handlers:
            root.removeHandler(handler)
    ours.setLevel(level)


def test_lines_are_in_the_file_once_the_listener_has_stopped(tmp_path: Path) -> None:
    listener = log_to(tmp_path / "logs")
    logging.getLogger("tallylight.test").info("a line with %d", 7)
    try:
        raise ValueError("why")
    except ValueError:
        logging.getLogger("tallylight.test").exception("it failed")
    listener.stop()
    text = (tmp_path / "logs" / FILE_NAME).read_text()
    assert "INFO tallylight.test: a line with 7" in text
    assert "ValueError: why" in text


def test_a_line_is_logged_while_the_file_cannot_be_written(tmp_path: Path) -> None:
    listener = log_to(tmp_path / "logs")
    stuck, go = threading.Event(), threading.Event()
    (file,) = [handler for handler in listener.handlers if isinstance(handler, logging.FileHandler)]
    write = file.emit

    def hang(record: logging.LogRecord) -> None:
        stuck.set()
        go.wait()
        write(record)

    file.emit = hang  # type: ignore[method-assign]
    logger = logging.getLogger("tallylight.test")
    logger.info("first")
    assert stuck.wait(10)
    for number in range(100):
        logger.info("line %d", number)
    assert (tmp_path / "logs" / FILE_NAME).read_text() == ""
    go.set()
    listener.stop()
    assert (tmp_path / "logs" / FILE_NAME).read_text().count("line ") == 100
