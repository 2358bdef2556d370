"""The auditor: recomputes everything, and shares no code with what posts."""
