"""Ready-made programmes and towns: for the demonstration, the simulation and the tests."""
