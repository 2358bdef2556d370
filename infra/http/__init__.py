"""What an API stands on: problems, strict bodies, idempotency, sign-in, one edge."""
