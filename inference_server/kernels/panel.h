// 256 weights of each of eight columns of a matrix, as the multiplication wants them.
#pragma once

#include "repack.h"

#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace {

constexpr int COLUMNS = 8;

// A register holds a part of 8 numbers of each column, one column after another: of its 16 lanes, a column has two.
constexpr int PARTS = QK_K / 8;

// A weight is scale * (its group's scale * quant), and with Q4_K less min * (its group's min), all but the first and
// the min integers.
struct Panel {
    __m512i quants[PARTS];  // 8 bits
    __m512i scales[PARTS / 2];  // of each group; the lower 16 bits of a lane
    __m512 scale;
};

// A number of 16 bits for each column, in the lower half of both its lanes.
__m512i both_lanes(__m512i columns) {
    return _mm512_or_si512(columns, _mm512_slli_epi64(columns, 32));
}

__m512 both_lanes(const ggml_half * columns) {
    const __m512i twice = _mm512_set_epi32(7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0);
    const __m256 eight = _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i *>(columns)));
    return _mm512_permutexvar_ps(twice, _mm512_castps256_ps512(eight));
}

__m512i widened(uint64_t eight) {
    return _mm512_cvtepu8_epi64(_mm_set1_epi64x(static_cast<int64_t>(eight)));
}

// A matrix of Q4_K, of which llama.cpp has put eight columns together: groups of 32, with a scale and a min of 6 bits.
struct Q4K {
    struct Panel : ::Panel {
        __m512i mins[4];  // of 16 numbers each: in order, 16 bits, four to a column
        __m512 min;
    };
    static constexpr int SCALED = 4;  // parts that have a scale in common
    static constexpr int ADDED = 4;  // parts whose products a lane of 16 bits can add up: 16 * 15 * 127
    // Blocks that are fetched before their turn, which the processor does not do well by itself. With one row and with
    // four, 2 or 8 are a fifth slower, and without it takes nearly twice as long.
    static constexpr int AHEAD = 4;
    const block_q4_Kx8 * weights;
    int blocks;  // of a column

    static __m512i begin(const Panel &, int) { return _mm512_setzero_si512(); }

    static __m512i add(__m512i sum, __m512i quants, __m512i activations) {
        return _mm512_dpbusd_epi32(sum, quants, activations);
    }

    void unpack(int columns, int block, Panel & to) const {
        const block_q4_Kx8 & from = weights[columns * blocks + block];
        for (int line = 0; line < static_cast<int>(sizeof(from)) / 64; ++line) {
            _mm_prefetch(reinterpret_cast<const char *>(&from + AHEAD) + line * 64, _MM_HINT_T0);
        }
        const __m512i nibble = _mm512_set1_epi8(15);
        for (int group = 0; group < 8; group += 2) {
            for (int part = 0; part < 4; ++part) {
                const __m512i two = _mm512_loadu_si512(from.qs + (group * 2 + part) * 64);
                to.quants[group * 4 + part] = _mm512_and_si512(two, nibble);
                to.quants[group * 4 + 4 + part] = _mm512_and_si512(_mm512_srli_epi16(two, 4), nibble);
            }
            __m512i mins[2];
            for (int half = 0; half < 2; ++half) {
                // Eight scales and eight mins of 6 bits (make_block_q4_Kx8 in repack.cpp).
                uint32_t packed[3];
                std::memcpy(packed, from.scales + (group + half) * 12, sizeof packed);
                const uint64_t scale = (packed[0] & 0x3f3f3f3f)
                    | static_cast<uint64_t>((packed[2] & 0x0f0f0f0f) | (packed[0] >> 2 & 0x30303030)) << 32;
                const uint64_t min = (packed[1] & 0x3f3f3f3f)
                    | static_cast<uint64_t>((packed[2] >> 4 & 0x0f0f0f0f) | (packed[1] >> 2 & 0x30303030)) << 32;
                to.scales[group + half] = both_lanes(widened(scale));
                mins[half] = widened(min);
            }
            const __m512i two = _mm512_or_si512(mins[0], _mm512_slli_epi64(mins[1], 32));
            to.mins[group / 2] = _mm512_or_si512(two, _mm512_slli_epi32(two, 16));
        }
        to.scale = both_lanes(from.d);
        to.min = both_lanes(from.dmin);
    }
};

// 64 bytes of each of eight columns, eight of them to a register.
void interleave(const uint8_t * from, size_t column, __m512i * to) {
    __m512i pairs[2][4];
    for (int i = 0; i < 4; ++i) {
        const __m512i even = _mm512_loadu_si512(from + 2 * i * column);
        const __m512i odd = _mm512_loadu_si512(from + (2 * i + 1) * column);
        pairs[0][i] = _mm512_unpacklo_epi64(even, odd);
        pairs[1][i] = _mm512_unpackhi_epi64(even, odd);
    }
    for (int i = 0; i < 2; ++i) {
        const __m512i * of = pairs[i];
        const __m512i a = _mm512_shuffle_i64x2(of[0], of[1], 0x88);
        const __m512i b = _mm512_shuffle_i64x2(of[2], of[3], 0x88);
        const __m512i c = _mm512_shuffle_i64x2(of[0], of[1], 0xdd);
        const __m512i d = _mm512_shuffle_i64x2(of[2], of[3], 0xdd);
        to[i] = _mm512_shuffle_i64x2(a, b, 0x88);
        to[i + 2] = _mm512_shuffle_i64x2(c, d, 0x88);
        to[i + 4] = _mm512_shuffle_i64x2(a, b, 0xdd);
        to[i + 6] = _mm512_shuffle_i64x2(c, d, 0xdd);
    }
}

// A matrix of Q6_K as it is in the file: groups of 16, with a scale of 8 bits. Quants have a sign, so that a lane can add
// up more; activations, of which the instruction wants one without, are 128 more than what they stand for, and sums
// begin with what that adds to them.
struct Q6K {
    struct Panel : ::Panel {
        __m512i begins[PARTS / 2];
    };
    static constexpr int SCALED = 2;
    static constexpr int ADDED = 2;  // 8 * 32 * 127
    const char * weights;
    size_t column;  // bytes

    static __m512i begin(const Panel & panel, int part) { return panel.begins[part / ADDED]; }

    static __m512i add(__m512i sum, __m512i quants, __m512i activations) {
        return _mm512_dpbusd_epi32(sum, activations, quants);
    }

    const block_q6_K & at(int column_number, int block) const {
        return reinterpret_cast<const block_q6_K *>(weights + column_number * column)[block];
    }

    void unpack(int columns, int block, Panel & to) const {
        const int first = columns * COLUMNS;
        const block_q6_K & bits = at(first, block);
        __m512i low[16];
        __m512i high[8];
        interleave(bits.ql, column, low);
        interleave(bits.ql + 64, column, low + 8);
        interleave(bits.qh, column, high);
        // Four bits of a number lie beside four of the number 64 later, two beside two of those 32, 64 and 96 later
        // (dequantize_row_q6_K in ggml-quants.c).
        const auto together = [](__m512i four, __m512i two) {
            const __m512i low_bits = _mm512_and_si512(four, _mm512_set1_epi8(0x0f));
            const __m512i six = _mm512_or_si512(low_bits, _mm512_and_si512(two, _mm512_set1_epi8(0x30)));
            return _mm512_sub_epi8(six, _mm512_set1_epi8(32));
        };
        for (int half = 0; half < 2; ++half) {
            for (int part = 0; part < 4; ++part) {
                const __m512i a = low[half * 8 + part];
                const __m512i b = low[half * 8 + 4 + part];
                const __m512i two = high[half * 4 + part];
                __m512i * quants = to.quants + half * 16 + part;
                quants[0] = together(a, _mm512_slli_epi16(two, 4));
                quants[4] = together(b, _mm512_slli_epi16(two, 2));
                quants[8] = together(_mm512_srli_epi16(a, 4), two);
                quants[12] = together(_mm512_srli_epi16(b, 4), _mm512_srli_epi16(two, 2));
            }
        }
        __m128i scales[COLUMNS];
        ggml_half d[COLUMNS];
        for (int c = 0; c < COLUMNS; ++c) {
            scales[c] = _mm_loadu_si128(reinterpret_cast<const __m128i *>(at(first + c, block).scales));
            d[c] = at(first + c, block).d;
            // The next columns: the processor does not find out by itself where they begin.
            for (int line = 0; line < 4; ++line) {
                _mm_prefetch(reinterpret_cast<const char *>(&at(first + COLUMNS + c, block)) + line * 64, _MM_HINT_T0);
            }
        }
        // Each round turns a bit of the column's number into one of the place in a register, until all three are.
        for (int round = 0; round < 3; ++round) {
            __m128i next[COLUMNS];
            for (int i = 0; i < 4; ++i) {
                next[2 * i] = _mm_unpacklo_epi8(scales[i], scales[i + 4]);
                next[2 * i + 1] = _mm_unpackhi_epi8(scales[i], scales[i + 4]);
            }
            std::copy_n(next, COLUMNS, scales);
        }
        for (int group = 0; group < 16; ++group) {
            const __m128i two = scales[group / 2];
            const __m512i wide = _mm512_cvtepi8_epi64(group % 2 ? _mm_unpackhi_epi64(two, two) : two);
            to.scales[group] = both_lanes(_mm512_and_si512(wide, _mm512_set1_epi64(0xffff)));
        }
        for (int group = 0; group < PARTS / 2; ++group) {
            const __m512i more = _mm512_set1_epi8(-128);  // 128, to the instruction
            __m512i added = _mm512_dpbusd_epi32(_mm512_setzero_si512(), more, to.quants[2 * group]);
            added = _mm512_dpbusd_epi32(added, more, to.quants[2 * group + 1]);
            to.begins[group] = _mm512_sub_epi32(_mm512_setzero_si512(), added);
        }
        to.scale = both_lanes(d);
    }
};

}  // namespace
