"""What the contracts service does: load, decide, save, say."""
