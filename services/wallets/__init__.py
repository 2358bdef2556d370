"""What a resident holds."""
