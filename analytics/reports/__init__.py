"""The charts on paper and on a page: for staff, for the council, for everybody."""
