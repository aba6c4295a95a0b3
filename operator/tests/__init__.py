"""A package, so that its folders can share the control plane."""
