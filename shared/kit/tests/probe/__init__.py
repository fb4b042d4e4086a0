"""A service small enough to test the kit with: it stands where sla stands on the bus."""
