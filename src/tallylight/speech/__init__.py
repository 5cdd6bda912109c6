"""Our own voice: text made sound, 16-bit mono at 8 kHz, in the languages the house speaks.

Start with `synthesis` (the port and its in-memory twin), then `espeak` (the engine, in a process of its own because it
is GPL: `espeak_child` is the only module that may import it) and `cache`. `resample` and `level` are pure. May import
the errors; nothing here knows of calls.
"""
