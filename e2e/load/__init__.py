"""Load on the HTTP API: bounded, closed-loop, and only on this machine."""
