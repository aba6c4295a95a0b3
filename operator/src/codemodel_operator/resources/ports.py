"""The ports of a replica."""

PORT = 8080
"""Where it answers requests."""

MANAGEMENT_PORT = 8081
"""Where it answers probes and scrapes, however many requests it has."""
