"""What the tiny model is taught: small functions, the ways to ask for each, and the checks that each passes."""
