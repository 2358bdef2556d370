"""How fast the platform takes payments, measured beside the database's own benchmark: `make bench`."""
