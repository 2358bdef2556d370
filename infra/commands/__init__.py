"""One file a command: `tanabata prove` is the function `prove` in `prove.py`, found by `infra.cli`."""
