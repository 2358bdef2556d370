"""The outside world, played locally and honestly so: an outbox for SMS, a sandbox checkout."""
