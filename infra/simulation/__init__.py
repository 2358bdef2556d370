"""A whole programme in simulated time: actors at the APIs' doors, from decision to last payout."""
