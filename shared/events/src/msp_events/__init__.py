"""What the services say to one another: event classes, their catalogue and the envelope they travel in."""
