"""The text logs: `DIR/logs/tallylight.log` and stderr. No number and no name may reach them; erasures search them."""

import logging
import logging.handlers
import sys
from pathlib import Path

FILE_NAME = "tallylight.log"
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def log_to(folder: Path, level: int = logging.INFO) -> None:
    """Send the program's log to a rotating file (5 x 10 MB), and warnings to stderr too."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = logging.handlers.RotatingFileHandler(folder / FILE_NAME, maxBytes=10 << 20, backupCount=4, encoding="utf-8")
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(logging.WARNING)
    for handler in (file, screen):
        handler.setFormatter(logging.Formatter(FORMAT))
        logging.getLogger().addHandler(handler)
    logging.getLogger("tallylight").setLevel(level)
