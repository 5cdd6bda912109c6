"""What people are told, what they answer, and what makes an answer a valid consent. Pure.

Start with `answer` (where one person stands), `validity` (Arts 4(11), 7 GDPR), `notices` (the words, from `wording`)
and `lint` (what a wording must not leave out).
"""
