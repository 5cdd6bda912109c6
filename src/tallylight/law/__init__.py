"""Recording law as data: dated rules with citations, and the vocabulary every room speaks. Pure. Not legal advice.

Start with `vocabulary`, then `packs/*.toml` (one jurisdiction each), `rule` (what an entry says) and `pack` (all of them
under one hash).
"""
