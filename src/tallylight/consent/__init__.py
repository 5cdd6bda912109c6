"""What people are told, what they answer, and what makes an answer a valid consent. Pure.

Start with `answer` (where one person stands), `validity` (Arts 4(11), 7 GDPR), `notices` (the words, from `wording`),
`lint` and `flow` (what a wording must not leave out, and what a no must not cost). `purposes` and `lawful_basis` are what
a controller writes down; `receipts` are what a person can be handed; `objection` is a no in advance,
`standing_yes` a yes with an end.
"""
