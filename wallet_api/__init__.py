"""For residents: an app with one file a screenful of endpoints."""
