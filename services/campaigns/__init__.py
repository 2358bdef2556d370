"""What a city promises."""
