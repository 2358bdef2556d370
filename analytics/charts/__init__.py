"""What can be seen: one file a chart, each with its data declared, its table, and words in three languages."""
