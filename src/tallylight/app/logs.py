"""The text logs: `DIR/logs/tallylight.log` and stderr. No number and no name may reach them; erasures search them.

They are written on a thread of their own: a disk that hangs must not hold up the media loop by a line of log.
"""

import logging
import logging.handlers
import queue
import sys
from pathlib import Path

FILE_NAME = "tallylight.log"
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def log_to(folder: Path, level: int = logging.INFO) -> logging.handlers.QueueListener:
    """Send the program's log to a rotating file (5 x 10 MB), and warnings to stderr too, until the listener is stopped."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = logging.handlers.RotatingFileHandler(folder / FILE_NAME, maxBytes=10 << 20, backupCount=4, encoding="utf-8")
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(logging.WARNING)
    for handler in (file, screen):
        handler.setFormatter(logging.Formatter(FORMAT))
    lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    logging.getLogger().addHandler(logging.handlers.QueueHandler(lines))
    logging.getLogger("tallylight").setLevel(level)
    listener = logging.handlers.QueueListener(lines, file, screen, respect_handler_level=True)
    listener.start()
    return listener
