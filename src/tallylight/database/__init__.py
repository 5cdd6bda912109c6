"""The database: engines, the one migration chain, the event table and the group-commit writer.

May import `ledger` and below. Start at `writer` (how anything is written), then `events` (the truth) and `engine`.
Each room above declares its tables in its own `tables` module against `metadata`.
"""
