// Products of a matrix of either kind with rows of activations of 8 bits.
//
// Weights become panels of sixteen columns, in the order of registers, and two of them are multiplied at a time. A lane
// adds up as many products of quants and activations as 16 bits can hold; then one instruction multiplies that by its
// scale, and adds it to the lane's sum of 32 bits. As in ggml, nothing is rounded before the end of 256 numbers.
#pragma once

#include "panel.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace {

// Panels that are multiplied side by side: activations are loaded once for both, and loads are not what it waits for.
constexpr int SIDES = 2;

// Rows whose sums are kept while the weights pass by: a panel is made once for all of them.
constexpr int TILE = 256;

// A row's sums of the columns of both panels.
using Sums = __m512[SIDES];

// Rows that are multiplied at once. With both panels these are sums for half of the 32 registers, enough that none is
// needed before the instruction that added to it last is done.
template <typename Block>
constexpr int MOST_ROWS = TOGETHER<Block> == 4 ? 8 : 3;

float scale_of(const block_q8_K & block, int) { return block.d; }
float scale_of(const block_q8_Kx4 & block, int row) { return block.d[row]; }

// Four bytes of activations or of their totals, for each of the columns.
__m512i for_columns(const void * bytes) {
    return _mm512_set1_epi32(*static_cast<const int32_t *>(bytes));
}

// Adds products with 256 weights of each column to the sums of some rows, which lie `next` blocks apart; to nothing, if
// these have not `begun`.
template <typename Weights, int ROWS, typename Block>
void multiply(const typename Weights::Panel * panels, const Block * activations, int next,
    const Totals<Weights, Block> * totals, __mmask16 begun, Sums * sums) {
    constexpr int EACH = TOGETHER<Block>;
    __m512i products[ROWS][SIDES];
    std::fill_n(&products[0][0], ROWS * SIDES, _mm512_setzero_si512());
// GCC would unroll it, and hold more than there are registers for: half as fast.
#pragma GCC unroll 1
    for (int part = 0; part < PARTS; part += Weights::ADDED) {
        __m512i added[ROWS][SIDES];
#pragma GCC unroll 8
        for (int row = 0; row < ROWS; ++row) {
#pragma GCC unroll 2
            for (int side = 0; side < SIDES; ++side) {
                added[row][side] = Weights::begin(panels[side], totals[row / EACH], part, row % EACH);
            }
        }
#pragma GCC unroll 8
        for (int i = 0; i < Weights::ADDED; ++i) {
            const __m512i quants[SIDES] = {panels[0].quants[part + i], panels[1].quants[part + i]};
#pragma GCC unroll 8
            for (int row = 0; row < ROWS; ++row) {
                const int8_t * eights = activations[row / EACH * next].qs + ((part + i) / 2 * EACH + row % EACH) * 8;
                const __m512i numbers = for_columns(eights + i % 2 * 4);
#pragma GCC unroll 2
                for (int side = 0; side < SIDES; ++side) {
                    added[row][side] = Weights::add(added[row][side], quants[side], numbers);
                }
            }
        }
#pragma GCC unroll 2
        for (int side = 0; side < SIDES; ++side) {
            const __m512i scales = panels[side].scales[part / Weights::SCALED];
#pragma GCC unroll 8
            for (int row = 0; row < ROWS; ++row) {
                products[row][side] = _mm512_dpwssd_epi32(products[row][side], added[row][side], scales);
            }
        }
    }
#pragma GCC unroll 8
    for (int row = 0; row < ROWS; ++row) {
        const __m512 scale = _mm512_set1_ps(scale_of(activations[row / EACH * next], row % EACH));
#pragma GCC unroll 2
        for (int side = 0; side < SIDES; ++side) {
            const __m512 sum = Weights::finish(panels[side], totals[row / EACH], products[row][side], row % EACH);
            sums[row][side] = _mm512_fmadd_ps(sum, scale, _mm512_maskz_load_ps(begun, &sums[row][side]));
        }
    }
}

// The same for any number of rows: so many at once, and what is left over.
template <typename Weights, int ROWS, typename Block>
void multiply_all(const typename Weights::Panel * panels, const Block * activations, int next,
    const Totals<Weights, Block> * totals, __mmask16 begun, Sums * sums, int rows) {
    constexpr int EACH = TOGETHER<Block>;
    for (; rows >= ROWS; rows -= ROWS) {
        multiply<Weights, ROWS>(panels, activations, next, totals, begun, sums);
        activations += ROWS / EACH * next;
        totals += ROWS / EACH;
        sums += ROWS;
    }
    if constexpr (ROWS > EACH) {
        multiply_all<Weights, ROWS - EACH>(panels, activations, next, totals, begun, sums, rows);
    }
}

// The last rows of a block that is not the first are the last of all: it repeats some if it would not be full.
template <typename Block>
int first_row(int block, int rows) {
    return std::min(block * TOGETHER<Block>, rows - TOGETHER<Block>);
}

// Products with the columns from one, the first of a panel, up to another, which may end with half of one; `stride` is
// the distance of rows of what comes out.
template <typename Weights, typename Block>
void product(const Weights & weights, int begin, int end, const Block * activations, int blocks, int rows, float * to,
    size_t stride) {
    constexpr int EACH = TOGETHER<Block>;
    const int groups = (rows + EACH - 1) / EACH;  // of rows that have blocks together
    static thread_local std::vector<Totals<Weights, Block>> totals;
    totals.resize(blocks * groups);
    for (int group = 0; group < groups; ++group) {
        for (int block = 0; block < blocks; ++block) {
            totals[block * groups + group].add_up(activations[group * blocks + block]);
        }
    }
    for (int column = begin; column < end; column += SIDES * COLUMNS) {
        for (int first = 0; first < groups; first += TILE / EACH) {
            const int some = std::min(TILE, (groups - first) * EACH);
            Sums sums[TILE];
            for (int block = 0; block < blocks; ++block) {
                typename Weights::Panel panels[SIDES];
                for (int side = 0; side < SIDES; ++side) {
                    // Beyond the end, the last once more.
                    weights.unpack(std::min(column / COLUMNS + side, (end - 1) / COLUMNS), block, panels[side]);
                }
                multiply_all<Weights, MOST_ROWS<Block>>(panels, activations + first * blocks + block, blocks,
                    &totals[block * groups + first], block == 0 ? 0 : 0xffff, sums, some);
            }
            for (int i = 0; i < some; ++i) {
                const int row = first_row<Block>(first + i / EACH, rows) + i % EACH;
                for (int side = 0; side < SIDES; ++side) {
                    const int there = std::clamp(end - column - side * COLUMNS, 0, COLUMNS);
                    const __mmask16 columns = (1 << there) - 1;
                    _mm512_mask_storeu_ps(to + row * stride + column + side * COLUMNS, columns, sums[i][side]);
                }
            }
        }
    }
}

}  // namespace
