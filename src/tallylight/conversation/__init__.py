"""What can happen in a conversation: commands, events, the state they fold into. Pure.

Start with `events`, then `handle` (command + state -> events) and `state` (the reducer).
"""
