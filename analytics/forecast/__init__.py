"""What will be used, what will lapse, and when a budget is gone: every figure with its interval.

Methods, assumptions and sources: docs/algorithms/forecasts.md.
"""
