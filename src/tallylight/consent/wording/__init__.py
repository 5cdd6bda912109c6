"""What people are told, one module per language, each a `Wording`. Start with `form`; pure data below it.

A change of any text is a new `VERSION`: what was said to somebody is found again by version and hash.
"""
