"""The verbs: load, decide, save, say."""
