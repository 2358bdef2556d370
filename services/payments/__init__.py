"""The hot path: a resident pays a store."""
