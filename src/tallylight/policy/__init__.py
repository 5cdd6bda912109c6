"""Settings, recording modes and the one decision: who may be recorded now, and why. Pure.

Start with `situation` (what is asked), `decision` (what is answered) and `decide` (the answer). Its layers are `house`
(settings, refusals, being told, pauses), `answers` (consent and grounds of customers), `employees`, `wiretap`
(confidentiality of speech) and `moments`; `explain` also shows what was passed over. `cases` reads a legal case in its
closed form, and `case_answer` judges it by the same decision.
"""
