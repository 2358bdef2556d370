"""Where the money went: the lake, measures and evaluation will live here; it may import the kit only."""
