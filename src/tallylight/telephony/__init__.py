"""Phones: SIP signalling, RTP media, the flow of a call and the two legs that meet in it.

Start with `b2bua` (a call with its two legs), `flow` (what it does), then `sip` and `rtp` (how it reaches people).
"""
