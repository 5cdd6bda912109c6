"""Tallylight records conversations only as far as the law, the settings and the people on the call allow; proves it; forgets.

Start reading at `conversation` (what can happen), `policy` (what may be recorded and why) and `app` (how the rooms are joined).
"""

__version__ = "0.1.0"
