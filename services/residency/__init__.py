"""Who lives in the city: what a person proved, how, and that nobody proves it twice."""
