"""Alerts that an officer looks at: what a run over the lake found, whom it is about as pseudonyms, what came of it."""
