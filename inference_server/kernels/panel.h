// 256 weights of each of sixteen columns of a matrix, as the multiplication wants them.
#pragma once

#include "repack.h"

#include <immintrin.h>

#include <cstdint>

namespace {

constexpr int COLUMNS = 16;

// A register holds a part of 4 numbers of each column: a column has a lane.
constexpr int PARTS = QK_K / 4;

// Rows of activations in a block of 256 numbers: one, or four, 8 numbers of each in turn.
template <typename Block>
constexpr int TOGETHER = 1;
template <>
constexpr int TOGETHER<block_q8_Kx4> = 4;

// A weight is scale * (its group's scale * quant), and with Q4_K less min * (its group's min), all but the first and
// the min integers.
struct Panel {
    __m512i quants[PARTS];  // 8 bits
    __m512i scales[PARTS / 4];  // of each group; the lower 16 bits of a lane
    __m512 scale;
};

__m512 widened(const ggml_half * first, const ggml_half * second) {
    const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i *>(first));
    const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i *>(second));
    return _mm512_cvtph_ps(_mm256_set_m128i(high, low));
}

__m512i widened(uint64_t first, uint64_t second) {
    return _mm512_cvtepu8_epi32(_mm_set_epi64x(static_cast<int64_t>(second), static_cast<int64_t>(first)));
}

__m512i both_halves(__m512i low, __m512i high) { return _mm512_or_si512(low, _mm512_slli_epi32(high, 16)); }

// What there is to know of a block's activations beside themselves, of each row.
template <typename Weights, typename Block>
struct Totals;

// `Weights`, of which there is one for each kind, has: the `Panel` that it unpacks; SCALED, the parts that have a scale
// in common; ADDED, the parts whose products a lane of 16 bits can add up; and how such a sum begins, how a part is
// added to it, and what becomes of all sums.

}  // namespace
