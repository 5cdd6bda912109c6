"""The conversations this process owns: commands become events, events become lamps, lamps move gates.

Start with `runner` (one conversation), then `sealing` (what happens to its tracks afterwards) and `control`
(commands from other processes on this machine).
"""
