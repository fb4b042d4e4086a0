"""Documents the gateway makes itself, of what several services tell."""
