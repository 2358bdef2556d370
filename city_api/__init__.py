"""For city staff: an app with one file a screenful of endpoints."""
