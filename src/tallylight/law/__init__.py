"""Recording law as data: dated rules with citations, and the vocabulary every room speaks. Pure. Not legal advice.

Start with `vocabulary`, then `packs/*.toml` (one jurisdiction each), `rule` (what an entry says), `reading` and `lint` (what
is refused) and `pack` (all of them under one hash). `overview` is a pack as people look at it.
"""
