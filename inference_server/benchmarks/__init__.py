"""The server measured against llama-server and llama_cpp.server: `make bench-server`."""
