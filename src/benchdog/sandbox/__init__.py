"""OS isolation for commands that nobody trusts."""
