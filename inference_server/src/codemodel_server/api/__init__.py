"""HTTP: one blueprint a surface."""
