"""Load on the HTTP API, and what it shows: the command ``codemodel-load``. docs/load.md defines every figure."""
