"""`make bench-operator`: how the operator keeps up, on the kind cluster. docs/operator.md says what is measured."""
