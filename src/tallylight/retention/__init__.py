"""Everything ends: what is due is swept, what a person asks to be forgotten is erased, and a certificate says how.

Start with `erasure` (the steps), then `search` (what proves them), `certificate` and `sweep`. May import live and
below.
"""
