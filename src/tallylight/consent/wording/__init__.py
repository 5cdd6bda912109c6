"""What people are told, one TOML file per language, each a `Wording`. Start with `form`; pure data beside it.

A change of any text is a new `version`: what was said to somebody is found again by version and hash.
"""
