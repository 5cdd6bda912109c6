"""The ledger: a verifiable history as pure functions on bytes. It stores nothing; `database` writes its rows.

May import the standard library and `errors`. Start at `merkle` (RFC 9162), then `commitment` (what a leaf says) and
`checkpoint` (what is signed). `verifier` stands alone: it checks an exported log without the rest of the house.
"""
