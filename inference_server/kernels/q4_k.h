// How panels are made of a matrix of Q4_K.
#pragma once

#include "panel.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace {

// A matrix of Q4_K, of which llama.cpp has put eight columns together: groups of 32, with a scale and a min of 6 bits.
// 16 bits have no room for sums of 32 products with quants from 0 to 15, but they have for quants from -8 to 7: so sums
// begin with what makes them these, and what is missing then is added in the end.
struct Q4K {
    struct Panel : ::Panel {
        __m512i missing[4];  // eight times the scales of two groups, 16 bits
        __m512i mins[4];  // of two groups, 16 bits
        __m512 min;
    };
    static constexpr int SCALED = 8;
    static constexpr int ADDED = 8;  // 32 * 8 * 127
    const block_q4_Kx8 * weights;
    int blocks;  // of a column
    int eights;  // of columns

    template <typename Block>
    static __m512i begin(const Panel &, const Totals<Q4K, Block> & totals, int part, int row);

    static __m512i add(__m512i sum, __m512i quants, __m512i activations) {
        return _mm512_dpbusd_epi32(sum, quants, activations);
    }

    template <typename Block>
    static __m512 finish(const Panel & panel, const Totals<Q4K, Block> & totals, __m512i products, int row);

    // A group's scales and mins, of 6 bits each: columns 0 to 3 have theirs in the first eight of twelve bytes, in
    // whose upper bits are those of columns 4 to 7, together with the four bytes that follow (make_block_q4_Kx8 in
    // repack.cpp).
    static void unpack_scales(const uint8_t * first, const uint8_t * second, __m512i & scales, __m512i & mins) {
        const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i *>(first));
        const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i *>(second));
        const __m128i fours = _mm_unpacklo_epi32(a, b);
        const __m128i last = _mm_unpackhi_epi32(a, b);
        const __m128i nibbles = _mm_srlv_epi32(_mm_unpacklo_epi64(last, last), _mm_set_epi32(4, 4, 0, 0));
        const __m128i low = _mm_and_si128(fours, _mm_set1_epi8(0x3f));
        const __m128i high = _mm_or_si128(_mm_and_si128(_mm_srli_epi32(fours, 2), _mm_set1_epi8(0x30)),
            _mm_and_si128(nibbles, _mm_set1_epi8(0x0f)));
        scales = _mm512_cvtepu8_epi32(_mm_unpacklo_epi32(low, high));
        mins = _mm512_cvtepu8_epi32(_mm_unpackhi_epi32(low, high));
    }

    void unpack(int columns, int block, Panel & to) const {
        const block_q4_Kx8 * from[2];
        for (int i = 0; i < 2; ++i) {
            // The last of an odd number stands for itself and for the one that is missing.
            from[i] = weights + std::min(2 * columns + i, eights - 1) * blocks + block;
            // The next block: with few rows the processor does not fetch it in time by itself.
            for (int line = 0; line < static_cast<int>(sizeof(block_q4_Kx8)) / 64; ++line) {
                _mm_prefetch(reinterpret_cast<const char *>(from[i] + 1) + line * 64, _MM_HINT_T0);
            }
        }
        const __m512i nibble = _mm512_set1_epi8(15);
        const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
        const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
        for (int group = 0; group < 8; group += 2) {
            for (int eight = 0; eight < 4; ++eight) {
                const __m512i first = _mm512_loadu_si512(from[0]->qs + (group * 2 + eight) * 64);
                const __m512i second = _mm512_loadu_si512(from[1]->qs + (group * 2 + eight) * 64);
                __m512i * quants = to.quants + group * 8 + eight * 2;
                for (int half = 0; half < 2; ++half) {
                    const __m512i two = _mm512_permutex2var_epi32(first, half ? odd : even, second);
                    quants[half] = _mm512_and_si512(two, nibble);
                    quants[8 + half] = _mm512_and_si512(_mm512_srli_epi16(two, 4), nibble);
                }
            }
        }
        for (int group = 0; group < 8; group += 2) {
            __m512i * scales = to.scales + group;
            __m512i mins[2];
            for (int i = 0; i < 2; ++i) {
                const int twelve = (group + i) * 12;
                unpack_scales(from[0]->scales + twelve, from[1]->scales + twelve, scales[i], mins[i]);
            }
            to.mins[group / 2] = both_halves(mins[0], mins[1]);
            to.missing[group / 2] = _mm512_slli_epi16(both_halves(scales[0], scales[1]), 3);
        }
        to.scale = widened(from[0]->d, from[1]->d);
        to.min = widened(from[0]->dmin, from[1]->dmin);
    }
};

// Totals of two groups are one beside the other, those of a block's rows come next.
template <typename Block>
struct Totals<Q4K, Block> {
    int16_t pairs[8 * TOGETHER<Block>];
    int32_t begins[8 * TOGETHER<Block>];  // -8 times as much

    void add_up(const Block & block) {
        for (int i = 0; i < 8 * TOGETHER<Block>; ++i) {
            pairs[i] = static_cast<int16_t>(block.bsums[2 * i] + block.bsums[2 * i + 1]);
            begins[i] = -8 * pairs[i];
        }
    }
};

template <typename Block>
__m512i Q4K::begin(const Panel &, const Totals<Q4K, Block> & totals, int part, int row) {
    const int group = part / SCALED;
    return _mm512_set1_epi32(totals.begins[(group / 2 * TOGETHER<Block> + row) * 2 + group % 2]);
}

template <typename Block>
__m512 Q4K::finish(const Panel & panel, const Totals<Q4K, Block> & totals, __m512i products, int row) {
    __m512i mins = _mm512_setzero_si512();
#pragma GCC unroll 4
    for (int pair = 0; pair < 4; ++pair) {
        int32_t both;
        std::memcpy(&both, totals.pairs + (pair * TOGETHER<Block> + row) * 2, sizeof both);
        products = _mm512_dpwssd_epi32(products, panel.missing[pair], _mm512_set1_epi32(both));
        mins = _mm512_dpwssd_epi32(mins, panel.mins[pair], _mm512_set1_epi32(both));
    }
    const __m512 sum = _mm512_mul_ps(panel.scale, _mm512_cvtepi32_ps(products));
    return _mm512_fnmadd_ps(panel.min, _mm512_cvtepi32_ps(mins), sum);
}

}  // namespace
