// Products of matrices of Q4_K and Q6_K, of which a Q4_K_M model is made, with rows of activations of 8 bits. Takes
// the place of ggml's functions (see llama.cmake) on processors with AVX512-VNNI, which ggml's use for Q6_K only, and
// there only with many rows.
//
// Weights of both kinds become panels of eight columns, in the order of registers, and one kernel multiplies them. A lane adds up as many products of quants and activations as 16 bits can hold; then one instruction
// multiplies that by its scale, and adds it to the lane's sum of 32 bits. As in ggml, nothing is rounded before the end
// of 256 numbers.

#include "ggml-cpu-impl.h"
#include "quants.h"
#include "repack.h"
#include "tiled/tiled.h"

#include <algorithm>
#include <cstdint>
#include <type_traits>

#ifdef __AVX512VNNI__
#include "panel.h"

namespace {

// Rows whose sums are kept while the weights pass by: a panel is made once for all of them.
constexpr int TILE = 128;

// Rows of activations in a block of 256 numbers: one, or four, 8 numbers of each in turn.
template <typename Block>
constexpr int TOGETHER = 1;
template <>
constexpr int TOGETHER<block_q8_Kx4> = 4;

// Rows that are multiplied at once. Of 32 registers, each has one, and weights and activations have some.
template <typename Block>
constexpr int MOST_ROWS = TOGETHER<Block> == 4 ? 16 : 3;

float scale_of(const block_q8_K & block, int) { return block.d; }
float scale_of(const block_q8_Kx4 & block, int row) { return block.d[row]; }

// Eight bytes of activations, for each of the columns.
__m512i for_columns(const void * bytes) {
    return _mm512_set1_epi64(*static_cast<const int64_t *>(bytes));
}

// Adds products with 256 weights of each column to the sums of some rows, which lie `next` blocks apart.
template <typename Weights, int ROWS, typename Block>
void multiply(const typename Weights::Panel & panel, const Block * activations, int next, __m512 * sums) {
    constexpr int EACH = TOGETHER<Block>;
    __m512i products[ROWS];
    std::fill_n(products, ROWS, _mm512_setzero_si512());
// GCC would unroll it, and hold more than there are registers for: half as fast.
#pragma GCC unroll 1
    for (int part = 0; part < PARTS; part += Weights::ADDED) {
#pragma GCC unroll 16
        for (int row = 0; row < ROWS; ++row) {
            const int8_t * numbers = activations[row / EACH * next].qs + (part * EACH + row % EACH) * 8;
            __m512i sum = Weights::begin(panel, part);
#pragma GCC unroll 4
            for (int i = 0; i < Weights::ADDED; ++i) {
                sum = Weights::add(sum, panel.quants[part + i], for_columns(numbers + i * EACH * 8));
            }
            products[row] = _mm512_dpwssd_epi32(products[row], sum, panel.scales[part / Weights::SCALED]);
        }
    }
#pragma GCC unroll 16
    for (int row = 0; row < ROWS; ++row) {
        const Block & block = activations[row / EACH * next];
        __m512 sum = _mm512_mul_ps(panel.scale, _mm512_cvtepi32_ps(products[row]));
        if constexpr (std::is_same_v<Weights, Q4K>) {
            __m512i mins = _mm512_setzero_si512();
#pragma GCC unroll 4
            for (int four = 0; four < 4; ++four) {
                const int16_t * numbers = block.bsums + (four * EACH + row % EACH) * 4;
                mins = _mm512_dpwssd_epi32(mins, panel.mins[four], for_columns(numbers));
            }
            sum = _mm512_fnmadd_ps(panel.min, _mm512_cvtepi32_ps(mins), sum);
        }
        sums[row] = _mm512_fmadd_ps(sum, _mm512_set1_ps(scale_of(block, row % EACH)), sums[row]);
    }
}

// The same for any number of rows: so many at once, and what is left over.
template <typename Weights, int ROWS, typename Block>
void multiply_all(
    const typename Weights::Panel & panel, const Block * activations, int next, __m512 * sums, int rows
) {
    constexpr int EACH = TOGETHER<Block>;
    for (; rows >= ROWS; rows -= ROWS) {
        multiply<Weights, ROWS>(panel, activations, next, sums);
        activations += ROWS / EACH * next;
        sums += ROWS;
    }
    if constexpr (ROWS > EACH) {
        multiply_all<Weights, ROWS - EACH>(panel, activations, next, sums, rows);
    }
}

// A column's sum is that of its two lanes.
void store(__m512 sum, float * columns) {
    const __m512i even = _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 14, 12, 10, 8, 6, 4, 2, 0);
    sum = _mm512_permutexvar_ps(even, _mm512_add_ps(sum, _mm512_permute_ps(sum, 0xb1)));
    _mm256_storeu_ps(columns, _mm512_castps512_ps256(sum));
}

// The last rows of a block that is not the first are the last of all: it repeats some if it would not be full.
template <typename Block>
int first_row(int block, int rows) {
    return std::min(block * TOGETHER<Block>, rows - TOGETHER<Block>);
}

// Products with the columns of some panels; `stride` is the distance of rows of what comes out.
template <typename Weights, typename Block>
void product(const Weights & weights, int begin, int end, const Block * activations, int blocks, int rows, float * to,
    size_t stride) {
    constexpr int EACH = TOGETHER<Block>;
    const int all = (rows + EACH - 1) / EACH * EACH;
    for (int first = 0; first < all; first += TILE) {
        const int some = std::min(TILE, all - first);
        for (int columns = begin; columns < end; ++columns) {
            __m512 sums[TILE];
            std::fill_n(sums, some, _mm512_setzero_ps());
            for (int block = 0; block < blocks; ++block) {
                typename Weights::Panel panel;
                weights.unpack(columns, block, panel);
                const Block * from = activations + first / EACH * blocks + block;
                multiply_all<Weights, MOST_ROWS<Block>>(panel, from, blocks, sums, some);
            }
            for (int i = 0; i < some; ++i) {
                const int row = first_row<Block>((first + i) / EACH, rows) + i % EACH;
                store(sums[i], to + row * stride + columns * COLUMNS);
            }
        }
    }
}

template <typename Block>
void multiply_q4_K(int n, float * s, size_t bs, const void * vx, const void * vy, int nr, int nc) {
    const Q4K columns{static_cast<const block_q4_Kx8 *>(vx), n / QK_K};
    product(columns, 0, nc / COLUMNS, static_cast<const Block *>(vy), n / QK_K, nr, s, bs);
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
    const Q6K columns{static_cast<const char *>(weights->data), weights->nb[1]};
    const int panels = static_cast<int>(weights->ne[1] / COLUMNS);
    const int chunk = std::max(1, panels / (params->nth * 8));
    for (int i = params->ith; i * chunk < panels; i = ggml_threadpool_chunk_add(params->threadpool, 1)) {
        product(columns, i * chunk, std::min((i + 1) * chunk, panels), quantized, blocks, rows,
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
