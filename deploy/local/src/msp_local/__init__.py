"""Runs the platform on one machine: servers, five services under one supervisor, demo data, replay of real history."""
