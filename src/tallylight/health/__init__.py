"""Health is bytes and seconds, not "ok": what was expected against what was stored, alarms, figures for Prometheus.

Start with `alarms`. `checks` compares tracks at call end; `metrics` is the registry that a web room may serve.
"""
