"""What a call does, as small objects: answer, say, play, gather, consent, dial, pause, hang up.

Start with `verbs` (the objects), then `interpreter` (performing them on a `Stage`), `inbound` (the built-in flow),
`question` (the consent dialogue as a state machine) and `codes` (star codes during the talk).
"""
