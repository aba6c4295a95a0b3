"""llama.cpp's own API, which editors' plugins speak."""
