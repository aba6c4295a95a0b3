"""A Kubernetes control plane of the tests' own: the real programs, without nodes."""
