"""What people ask of us beyond one conversation. May import retention and below.

Start with `objections`: "never record me", honoured across projects. `standing_yeses` are the mirror image, each with an
end.
"""
