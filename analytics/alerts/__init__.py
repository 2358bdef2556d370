"""Alerts: payments that an officer should look at, each with the rule that found it and the reason in figures.

An alert accuses nobody and stops nothing. Rules, reasons, limits and how well they find what was planted are
written in docs/algorithms/fraud-alerts.md.
"""
