"""Model servers: what is sent, what comes back, and how each is spoken to."""
