"""Conversations, parties, tracks and copies as they can be listed, found and played: projections of the event table.

Start with `projections` (how an event reaches a row), then `queries`, `explanation` and `playback`. May import vault,
database and the pure rooms. Numbers and names live here alone, encrypted, and are found by blind index (`addresses`).
"""
