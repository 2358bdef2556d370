"""What the platform knows: no HTTP, no settings, no data frames. Nouns are pure, verbs touch the world."""
