# Included by llama-cpp-python's CMakeLists.txt (CMAKE_PROJECT_llama_cpp_INCLUDE) right after its project() call.
# The Python binding needs libllama and ggml only. Its CMakeLists.txt forces llama.cpp's helper library for command-line
# tools on in the cache, which no -D can undo; a normal variable of the same name hides the cache entry, and
# saves two fifths of the build.
set(LLAMA_BUILD_COMMON OFF)

# Attention, and on x86 matrices, are computed by kernels of ours (docs/performance.md). Their files become a part of every
# variant of ggml's CPU backend, compiled with the flags of that variant, and ggml calls them where it would call its own.
set(CODEMODEL_KERNELS ${CMAKE_CURRENT_LIST_DIR}/kernels)
set(CODEMODEL_GGML vendor/llama.cpp/ggml/src)

# Has a file of ggml's call one of our functions where it calls its own.
function(codemodel_replace file function ours)
    file(STRINGS ${CODEMODEL_GGML}/${file} calls REGEX "${function}\\(")
    if(NOT calls)
        message(FATAL_ERROR "${file} of this llama.cpp does not call ${function}: find out what it calls now, and change "
            "llama.cmake, or build without it")
    endif()
    set_property(SOURCE ${CODEMODEL_GGML}/${file} DIRECTORY ${CODEMODEL_GGML}
        APPEND PROPERTY COMPILE_DEFINITIONS ${function}=${ours})
endfunction()

function(codemodel_add_kernels)
    # What they need of the compiler: vectors that can be shuffled.
    if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND NOT (CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12))
        message(WARNING "codemodel's kernels need GCC 12 or Clang: llama.cpp keeps its own, and is slower")
        return()
    endif()
    set(kernels ${CODEMODEL_KERNELS}/attention.cpp)
    codemodel_replace(ggml-cpu/ggml-cpu.c ggml_compute_forward_flash_attn_ext codemodel_attention)
    get_directory_property(architecture DIRECTORY ${CODEMODEL_GGML} DEFINITION GGML_SYSTEM_ARCH)
    if(architecture STREQUAL "x86")
        list(APPEND kernels ${CODEMODEL_KERNELS}/matrix.cpp)
        codemodel_replace(ggml-cpu/ggml-cpu.c ggml_compute_forward_mul_mat_tiled codemodel_mul_mat)
        codemodel_replace(ggml-cpu/repack.cpp ggml_gemm_q4_K_8x8_q8_K codemodel_gemm_q4_K)
        codemodel_replace(ggml-cpu/repack.cpp ggml_gemv_q4_K_8x8_q8_K codemodel_gemv_q4_K)
    endif()
    set_source_files_properties(${kernels} DIRECTORY ${CODEMODEL_GGML} PROPERTIES COMPILE_OPTIONS -fopenmp-simd)
    get_property(targets DIRECTORY ${CODEMODEL_GGML} PROPERTY BUILDSYSTEM_TARGETS)
    list(FILTER targets INCLUDE REGEX "^ggml-cpu")
    foreach(target IN LISTS targets)
        get_target_property(type ${target} TYPE)
        # The other targets of these names find out what a processor can do, or stand for all variants.
        if(type MATCHES "^(SHARED|STATIC|MODULE)_LIBRARY$")
            target_sources(${target} PRIVATE ${kernels})
        endif()
    endforeach()
endfunction()
# Once there are the targets.
cmake_language(DEFER CALL codemodel_add_kernels)
