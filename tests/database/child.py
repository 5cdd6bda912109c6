"""A process that appends: `python -m tests.database.child TARGET NAME COUNT` (0: until killed).

Each acknowledged unit is printed as its leaf numbers.
"""

import sys

from tallylight.clock import SystemClock
from tallylight.database.engine import open_database
from tallylight.database.writer import Writer
from tests.database.making import unit


def main() -> None:
    target, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    writer = Writer(open_database(target), clock=SystemClock())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    number = 0
    while not count or number < count:
        futures = [writer.submit(unit(f"{name}-{number % 5}", 3)) for _ in range(4)]
        futures.append(writer.submit(unit("shared")))
        for future in futures:
            sys.stdout.write(" ".join(map(str, future.result(30))) + "\n")
        sys.stdout.flush()
        number += 1
    writer.close()


if __name__ == "__main__":
    main()
