"""The operator behind a proxy that makes its API server misbehave."""
