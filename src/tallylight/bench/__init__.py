"""Benchmarks as programs: each prints its method and its figures beside a limit or a peer measured in the same run.

Start with `figures` (what a benchmark returns) and `capture`. `voices` and `callers` are the load: programs of their
own, whose CPU is not counted. May import telephony and everything below.
"""
