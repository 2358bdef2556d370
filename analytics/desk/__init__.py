"""The desk: questions of a server are answered by a process beside it, within bounds of time and memory."""
