"""Sound at rest: keys, the encrypted live log, sealed objects and where they lie.

Start with `frame` (what is kept), `keys` (who can read it), `live_log` (while a call runs), `seal` (when it has ended)
and `recovery` (after a crash). Every byte on disk is AES-256-GCM from the first one. May import the database's
metadata and the ground floor; never capture, live or telephony. The bytes of every format stand in `frame`, `record`
and `sealed`, pure and fuzzed; what touches a disk goes through `disk`.
"""
