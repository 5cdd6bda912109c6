"""Settings, recording modes and the one decision: who may be recorded now, and why. Pure.

Start with `situation` (what is asked), `decision` (what is answered) and `decide` (the answer). Its layers are `house`
(settings, refusals, being told, pauses) and `answers` (consent, grounds, confidentiality of speech); `explain` also
shows what was passed over.
"""
