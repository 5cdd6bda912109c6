"""The composition root: the only place that knows every room.

Start with `store` (what every process that touches a data folder needs) and `server` (`tallylight serve`).
"""
