"""From frames to chunks: one gate per track, admitted by media time. The hot path.

Start with `gate` (who may pass, and when), then `recorder` (what passed, second by second, to the sink).
May import the vault and everything below; never the network.
"""
