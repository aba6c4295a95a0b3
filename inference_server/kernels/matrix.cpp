// Products of matrices of Q4_K and Q6_K, of which a Q4_K_M model is made, with rows of activations of 8 bits. Takes
// the place of ggml's functions (see llama.cmake) on processors with AVX512-VNNI, which ggml's use for Q6_K only, and
// there only with many rows.

#include "ggml-cpu-impl.h"
#include "quants.h"
#include "repack.h"
#include "tiled/tiled.h"

#include <algorithm>
#include <cstdint>

#ifdef __AVX512VNNI__
#include "product.h"
#include "q4_k.h"
#include "q6_k.h"

namespace {

template <typename Block>
void multiply_q4_K(int n, float * s, size_t bs, const void * vx, const void * vy, int nr, int nc) {
    const Q4K columns{static_cast<const block_q4_Kx8 *>(vx), n / QK_K, nc / 8};
    product(columns, 0, nc, static_cast<const Block *>(vy), n / QK_K, nr, s, bs);
}

// ggml's work buffer has room for the activations in 8 bits, and more (ggml_tiled_wdata_size in tiled.cpp).
bool fits(const ggml_compute_params * params, const ggml_tensor * dst) {
    const ggml_tensor * weights = dst->src[0];
    const ggml_tensor * activations = dst->src[1];
    const size_t rows = (activations->ne[1] + 3) / 4 * 4;
    const bool ours = weights->type == GGML_TYPE_Q6_K && weights->extra == nullptr && weights->ne[1] % COLUMNS == 0;
    const bool plain = activations->type == GGML_TYPE_F32 && ggml_is_contiguous(activations);
    const bool room = params->wsize >= rows * ggml_row_size(GGML_TYPE_Q8_K, activations->ne[0]);
    return !params->use_ref && ours && plain && room && ggml_is_matrix(activations);
}

template <typename Block>
void multiply_q6_K(const ggml_compute_params * params, const ggml_tensor * dst) {
    const ggml_tensor * weights = dst->src[0];
    const ggml_tensor * activations = dst->src[1];
    const int rows = static_cast<int>(activations->ne[1]);
    const int64_t width = activations->ne[0];
    const int blocks = static_cast<int>(width / QK_K);
    auto * quantized = static_cast<Block *>(params->wdata);
    for (int i = params->ith; i * TOGETHER<Block> < rows; i += params->nth) {
        const float * from = static_cast<const float *>(activations->data) + first_row<Block>(i, rows) * width;
        Block * to = quantized + i * blocks;
        if constexpr (TOGETHER<Block> == 4) {
            ggml_quantize_mat_q8_K_4x8(from, to, width);
        } else {
            quantize_row_q8_K(from, to, width);
        }
        for (int block = 0; block < blocks; ++block) {
            for (int8_t & number : to[block].qs) {
                number ^= INT8_MIN;  // 128 more, without a sign
            }
        }
    }
    if (params->ith == 0) {
        ggml_threadpool_chunk_set(params->threadpool, params->nth);
    }
    ggml_barrier(params->threadpool);
    const Q6K matrix{static_cast<const char *>(weights->data), weights->nb[1]};
    const int columns = static_cast<int>(weights->ne[1]);
    const int chunk = std::max(1, columns / (SIDES * COLUMNS) / (params->nth * 8)) * SIDES * COLUMNS;
    for (int i = params->ith; i * chunk < columns; i = ggml_threadpool_chunk_add(params->threadpool, 1)) {
        product(matrix, i * chunk, std::min((i + 1) * chunk, columns), quantized, blocks, rows,
            static_cast<float *>(dst->data), dst->nb[1] / sizeof(float));
    }
}

}  // namespace
#endif

extern "C" {

void codemodel_gemm_q4_K(int n, float * s, size_t bs, const void * vx, const void * vy, int nr, int nc);
void codemodel_gemv_q4_K(int n, float * s, size_t bs, const void * vx, const void * vy, int nr, int nc);
bool codemodel_mul_mat(const ggml_compute_params * params, ggml_tensor * dst);

// Rows by fours, and a row alone, with a matrix whose columns llama.cpp has put together by eights.
void codemodel_gemm_q4_K(int n, float * s, size_t bs, const void * vx, const void * vy, int nr, int nc) {
#ifdef __AVX512VNNI__
    multiply_q4_K<block_q8_Kx4>(n, s, bs, vx, vy, nr, nc);
#else
    ggml_gemm_q4_K_8x8_q8_K(n, s, bs, vx, vy, nr, nc);
#endif
}

void codemodel_gemv_q4_K(int n, float * s, size_t bs, const void * vx, const void * vy, int nr, int nc) {
#ifdef __AVX512VNNI__
    multiply_q4_K<block_q8_K>(n, s, bs, vx, vy, nr, nc);
#else
    ggml_gemv_q4_K_8x8_q8_K(n, s, bs, vx, vy, nr, nc);
#endif
}

// What ggml asks before it multiplies with a matrix that is as it was in the file.
bool codemodel_mul_mat(const ggml_compute_params * params, ggml_tensor * dst) {
#ifdef __AVX512VNNI__
    if (fits(params, dst)) {
        dst->src[1]->ne[1] < 4 ? multiply_q6_K<block_q8_K>(params, dst) : multiply_q6_K<block_q8_Kx4>(params, dst);
        return true;
    }
#endif
    return ggml_compute_forward_mul_mat_tiled(params, dst);
}

}
