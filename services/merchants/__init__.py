"""Who may receive."""
