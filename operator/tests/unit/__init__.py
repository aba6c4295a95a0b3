"""A package, so that pytest does not name these modules after the folder `operator`, which is a standard module."""
