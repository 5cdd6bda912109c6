"""The scenes of `make demo`: phones of our own, real calls on loopback, the live wall. Tests use the phones too.

Start with `phone`, then `scenes` and `wall`.
"""
