"""The deterministic rules that decide whether a candidate may exist."""
