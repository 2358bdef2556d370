"""The ledger's fifteen invariants as a run: each holds here, and each has a mutant that trips it alone."""
