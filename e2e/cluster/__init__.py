"""One command line that brings up, fills and removes a real kind cluster, with or without an image registry."""
