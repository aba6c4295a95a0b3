// How panels are made of a matrix of Q6_K.
#pragma once

#include "panel.h"

#include <algorithm>
#include <cstdint>

namespace {

// 64 bytes of each of sixteen columns, four of them to a register.
void interleave(const uint8_t * from, size_t column, __m512i * to) {
    for (int sixteen = 0; sixteen < 4; ++sixteen, to += 4) {
        __m512i bytes[4];  // of columns i, 4 + i, 8 + i and 12 + i
        for (int i = 0; i < 4; ++i) {
            const auto load = [&](int n) {
                const uint8_t * there = from + (4 * n + i) * column + 16 * sixteen;
                if (sixteen == 0) {
                    // The next block: the processor does not keep up with so many places.
                    _mm_prefetch(reinterpret_cast<const char *>(there + sizeof(block_q6_K)), _MM_HINT_T0);
                }
                return _mm_loadu_si128(reinterpret_cast<const __m128i *>(there));
            };
            bytes[i] = _mm512_castsi128_si512(load(0));
            for (int n = 1; n < 4; ++n) {
                bytes[i] = _mm512_mask_broadcast_i32x4(bytes[i], 0xf << 4 * n, load(n));
            }
        }
        const __m512i a = _mm512_unpacklo_epi32(bytes[0], bytes[1]);
        const __m512i b = _mm512_unpacklo_epi32(bytes[2], bytes[3]);
        const __m512i c = _mm512_unpackhi_epi32(bytes[0], bytes[1]);
        const __m512i d = _mm512_unpackhi_epi32(bytes[2], bytes[3]);
        to[0] = _mm512_unpacklo_epi64(a, b);
        to[1] = _mm512_unpackhi_epi64(a, b);
        to[2] = _mm512_unpacklo_epi64(c, d);
        to[3] = _mm512_unpackhi_epi64(c, d);
    }
}

// A matrix of Q6_K as it is in the file: groups of 16, with a scale of 8 bits. Quants have a sign, so that a lane can
// add up more; activations, of which the instruction wants one without, are 128 more than what they stand for, and sums
// begin with what that adds to them.
struct Q6K {
    struct Panel : ::Panel {
        __m512i begins[PARTS / 2];
    };
    static constexpr int SCALED = 4;
    static constexpr int ADDED = 2;  // 8 * 32 * 127
    const char * weights;
    size_t column;  // bytes

    template <typename Block>
    static __m512i begin(const Panel & panel, const Totals<Q6K, Block> &, int part, int) {
        return panel.begins[part / ADDED];
    }

    static __m512i add(__m512i sum, __m512i quants, __m512i activations) {
        return _mm512_dpbusd_epi32(sum, activations, quants);
    }

    template <typename Block>
    static __m512 finish(const Panel & panel, const Totals<Q6K, Block> &, __m512i products, int) {
        return _mm512_mul_ps(panel.scale, _mm512_cvtepi32_ps(products));
    }

    const block_q6_K & at(int column_number, int block) const {
        return reinterpret_cast<const block_q6_K *>(weights + column_number * column)[block];
    }

    void unpack(int columns, int block, Panel & to) const {
        const int first = columns * COLUMNS;
        const block_q6_K & bits = at(first, block);
        __m512i low[32];
        __m512i high[16];
        interleave(bits.ql, column, low);
        interleave(bits.ql + 64, column, low + 16);
        interleave(bits.qh, column, high);
        // Four bits of a number lie beside four of the number 64 later, two beside two of those 32, 64 and 96 later
        // (dequantize_row_q6_K in ggml-quants.c).
        const auto together = [](__m512i four, __m512i two) {
            const __m512i low_bits = _mm512_and_si512(four, _mm512_set1_epi8(0x0f));
            const __m512i six = _mm512_or_si512(low_bits, _mm512_and_si512(two, _mm512_set1_epi8(0x30)));
            return _mm512_sub_epi8(six, _mm512_set1_epi8(32));
        };
        for (int half = 0; half < 2; ++half) {
            for (int part = 0; part < 8; ++part) {
                const __m512i a = low[half * 16 + part];
                const __m512i b = low[half * 16 + 8 + part];
                const __m512i two = high[half * 8 + part];
                __m512i * quants = to.quants + half * 32 + part;
                quants[0] = together(a, _mm512_slli_epi16(two, 4));
                quants[8] = together(b, _mm512_slli_epi16(two, 2));
                quants[16] = together(_mm512_srli_epi16(a, 4), two);
                quants[24] = together(_mm512_srli_epi16(b, 4), _mm512_srli_epi16(two, 2));
            }
        }
        __m128i scales[COLUMNS];
        ggml_half d[COLUMNS];
        for (int c = 0; c < COLUMNS; ++c) {
            scales[c] = _mm_loadu_si128(reinterpret_cast<const __m128i *>(at(first + c, block).scales));
            d[c] = at(first + c, block).d;
            _mm_prefetch(reinterpret_cast<const char *>(at(first + c, block + 1).scales), _MM_HINT_T0);
        }
        // Each round turns a bit of the column's number into one of the place in a register, until all four are.
        for (int round = 0; round < 4; ++round) {
            __m128i next[COLUMNS];
            for (int i = 0; i < 8; ++i) {
                next[2 * i] = _mm_unpacklo_epi8(scales[i], scales[i + 8]);
                next[2 * i + 1] = _mm_unpackhi_epi8(scales[i], scales[i + 8]);
            }
            std::copy_n(next, COLUMNS, scales);
        }
        for (int group = 0; group < 16; ++group) {
            const __m512i wide = _mm512_cvtepi8_epi32(scales[group]);
            to.scales[group] = _mm512_and_si512(wide, _mm512_set1_epi32(0xffff));
        }
        for (int i = 0; i < PARTS / 2; ++i) {
            const __m512i more = _mm512_set1_epi8(-128);  // 128, to the instruction
            __m512i added = _mm512_dpbusd_epi32(_mm512_setzero_si512(), more, to.quants[2 * i]);
            added = _mm512_dpbusd_epi32(added, more, to.quants[2 * i + 1]);
            to.begins[i] = _mm512_sub_epi32(_mm512_setzero_si512(), added);
        }
        to.scale = widened(d, d + 8);
    }
};

template <typename Block>
struct Totals<Q6K, Block> {
    void add_up(const Block &) {}
};

}  // namespace
