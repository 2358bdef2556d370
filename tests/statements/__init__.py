"""The statements on security and business that must hold, the tests that hold them, and mutants that show it."""
