"""How money is written down: double entry, append-only, summing to zero."""
