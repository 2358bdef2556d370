"""An invented city whose truth is known: the frames of the lake, and beside them what an estimator should find."""
