"""Two legs that meet: the caller's and the agent's are separate dialogs, and everything between them is ours.

Start with `switchboard` (calls that come in), then `inbound` (one such call on stage) and `agent` (its other leg).
"""
