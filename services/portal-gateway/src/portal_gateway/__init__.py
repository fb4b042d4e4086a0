"""The only door: people, sessions, the wall between clients, pages, and forwarding to the services."""
