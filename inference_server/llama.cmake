# Included by llama-cpp-python's CMakeLists.txt (CMAKE_PROJECT_llama_cpp_INCLUDE) right after its project() call.
# The Python binding needs libllama and ggml only. Its CMakeLists.txt forces llama.cpp's helper library for command-line
# tools on in the cache, which no -D can undo; a normal variable of the same name hides the cache entry, and
# saves two fifths of the build.
set(LLAMA_BUILD_COMMON OFF)

# Attention is computed by a kernel of ours (docs/performance.md). Its file becomes a part of every variant of ggml's CPU
# backend, compiled with the flags of that variant, and ggml's dispatcher calls it where it would call ggml's own.
set(CODEMODEL_ATTENTION ${CMAKE_CURRENT_LIST_DIR}/kernels/attention.cpp)
function(codemodel_add_attention)
    # What it needs of the compiler: vectors that can be shuffled.
    if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND NOT (CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12))
        message(WARNING "codemodel's attention kernel needs GCC 12 or Clang: llama.cpp keeps its own, and is slower with many streams")
        return()
    endif()
    set(ggml vendor/llama.cpp/ggml/src)
    get_property(targets DIRECTORY ${ggml} PROPERTY BUILDSYSTEM_TARGETS)
    list(FILTER targets INCLUDE REGEX "^ggml-cpu")
    foreach(target IN LISTS targets)
        get_target_property(type ${target} TYPE)
        # The other targets of these names find out what a processor can do, or stand for all variants.
        if(type MATCHES "^(SHARED|STATIC|MODULE)_LIBRARY$")
            target_sources(${target} PRIVATE ${CODEMODEL_ATTENTION})
        endif()
    endforeach()
    set_source_files_properties(${CODEMODEL_ATTENTION} DIRECTORY ${ggml} PROPERTIES COMPILE_OPTIONS -fopenmp-simd)
    set_source_files_properties(${ggml}/ggml-cpu/ggml-cpu.c DIRECTORY ${ggml}
        PROPERTIES COMPILE_DEFINITIONS ggml_compute_forward_flash_attn_ext=codemodel_attention)
endfunction()
# Once there are the targets.
cmake_language(DEFER CALL codemodel_add_attention)
