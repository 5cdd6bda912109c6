"""What the people who run the house have chosen: `DIR/tallylight.toml`, or the built-in trial where there is none.

Start with `configuration` (what the other rooms get), then `file` (reading), `trial` and `template` (what `tallylight
init` writes). Imports only ids, clock and errors; the composition root turns it into the rooms' own settings.
"""
