"""What implements: the built-in agent."""
