"""What an office does for riders: accounts, passes, period products, a copy of everything held, and erasure."""
