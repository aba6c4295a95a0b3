"""Models made by the project itself."""
