# Included by llama-cpp-python's CMakeLists.txt (CMAKE_PROJECT_llama_cpp_INCLUDE) right after its project() call.
# The Python binding needs libllama and ggml only. Its CMakeLists.txt forces llama.cpp's helper library for command-line
# tools on in the cache, which no -D can undo; a normal variable of the same name hides the cache entry, and
# saves two fifths of the build.
set(LLAMA_BUILD_COMMON OFF)
