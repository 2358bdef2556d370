"""What the payments tell about people's ways: segments, cohorts, returns, baskets, flows and the like.

Every function takes frames as `analytics.frames` declares them, from whatever source, and returns a frame whose
columns are declared beside it. Nothing here knows where a frame came from. Laws and limits are written in
docs/algorithms/mining.md.
"""
