"""Grafana's dashboards, written from a few pages of Python: `python -m tools.dashboards`."""
