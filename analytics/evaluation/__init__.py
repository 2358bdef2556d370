"""What a programme did: experiments, comparisons, surveys, bounds, and the one page that shows them together.

Estimators read the declared frames and surveys, never what is hidden from a city. Methods, assumptions and
sources: docs/algorithms/evaluation.md.
"""
