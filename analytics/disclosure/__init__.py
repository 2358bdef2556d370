"""What may leave the house: small cells hidden with what would give them away, noise for open data, pseudonyms.

The algorithms and their sources are in `docs/algorithms/disclosure.md`, the promise in `docs/privacy.md`.
"""
