"""Who may do what: every route against every kind of caller, worked out from the rules and written down."""
