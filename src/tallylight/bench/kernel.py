"""What the kernel has counted: datagrams dropped at ports, CPU of another process."""

import os
import resource
from collections.abc import Collection
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def udp_drops(ports: Collection[int]) -> int:
    """Datagrams dropped because a port's buffer was full, summed over our IPv4 ports (/proc/net/udp)."""
    wanted = set(ports)
    dropped = 0
    for line in Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rpartition(":")[2], 16) in wanted:
            dropped += int(fields[-1])
    return dropped


def cpu_s_of(pid: int) -> float:
    """CPU of all threads of a process so far, user and system, in steps of a clock tick (10 ms)."""
    # The name in parentheses may hold anything; what follows it does not.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def allow_files(count: int) -> None:
    """Raise this process's limit of open files to `count`, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        limit = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
