"""The only doors to processes, environment, clock, randomness, files and terminal."""
