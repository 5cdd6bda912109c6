"""What a person can be handed about their answer, in three standard forms. Pure: signing comes in as a callable.

Start with `facts`, which all three are made from: `dpv` (ISO/IEC TS 27560), `kantara` (a signed JWT) and `vcon`.
"""
