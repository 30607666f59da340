"""Five simulated networks, a separate program met only at an address."""
