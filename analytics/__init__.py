"""Where the money went: the lake, measures, mining, evaluation and what is published. It imports the kit only."""
