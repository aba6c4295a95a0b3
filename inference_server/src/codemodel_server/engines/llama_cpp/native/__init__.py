"""The one place that calls llama.cpp: pointers stay in here, Python values come out."""
