"""The database: embedded PostgreSQL or a given one, connections, migrations."""
