// What a block of queries gets of some cells, whose keys and values have been converted.
#pragma once

#include "common.h"
#include "lanes.h"
#include "many.h"
#include "mask.h"
#include "simd-mappings.h"
#include "vec.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>

namespace {

// ggml's work buffer has room for a block of so many queries, and so many keys and values, in 32 bits
// (GGML_OP_FLASH_ATTN_EXT in ggml-cpu.c).
constexpr int QUERIES = GGML_FA_TILE_Q;
constexpr int CELLS = GGML_FA_TILE_KV;

// Cells that are looked at together: their keys and values, 16 KiB each, stay in the processor's first cache.
template <int SIZE>
constexpr int TOGETHER = std::min(CELLS, 4096 / SIZE / 4 * 4);

// What a thread computes with; rows have SIZE numbers. Many queries lie side by side; few lie one after another, and
// two rows of scores are enough for them.
template <int SIZE>
struct Scratch {
    float queries[QUERIES * SIZE];
    float outputs[QUERIES * SIZE];
    float keys[TOGETHER<SIZE> * SIZE];
    float values[TOGETHER<SIZE> * SIZE];
    float scores[TOGETHER<SIZE>][QUERIES];
};
static_assert(CELLS <= QUERIES);

// The running softmax of the queries of a block, and what is added to the scores of few for each of their tokens.
struct Softmax {
    float maxima[QUERIES];
    float sums[QUERIES];
    float bias[LANES][CELLS];
};

// Adds what few queries get from some cells to what they have so far: COUNT at a time, then what is left over.
template <int SIZE, int COUNT>
void look_few(Scratch<SIZE> & scratch, Softmax & softmax, int cells, int first, int queries, int heads) {
    for (; first + COUNT <= queries; first += COUNT) {
        float kept[COUNT];
        multiply<SIZE, COUNT>(scratch.queries + first * SIZE, scratch.keys, cells, scratch.scores);
        for (int n = 0; n < COUNT; ++n) {
            float * scores = scratch.scores[n];
            const float * bias = softmax.bias[(first + n) / heads];
            float & maximum = softmax.maxima[first + n];
            float & sum = softmax.sums[first + n];
            float higher = maximum;
#pragma omp simd reduction(max : higher)
            for (int c = 0; c < cells; ++c) {
                scores[c] += bias[c];
                higher = scores[c] > higher ? scores[c] : higher;
            }
            // Of a block, one token may see nothing yet; anything finite is as good as no maximum then.
            higher = std::max(higher, -FLT_MAX);
            kept[n] = std::exp(maximum - higher);
            sum = sum * kept[n] + static_cast<float>(ggml_vec_soft_max_f32(cells, scores, scores, higher));
            maximum = higher;
        }
        add<SIZE, COUNT>(scratch.scores, scratch.values, cells, kept, scratch.outputs + first * SIZE);
    }
    if constexpr (COUNT > 1) {
        look_few<SIZE, COUNT - 1>(scratch, softmax, cells, first, queries, heads);
    }
}

// The scores of many queries begin with what is added to them, which for most cells is nothing.
template <int SIZE>
void begin(
    Scratch<SIZE> & scratch, const Mask & mask, int64_t row, int rows, int heads, const int64_t * found, int cells
) {
    std::fill_n(scratch.scores[0], cells * QUERIES, 0.0f);
    for (int r = 0; r < rows; ++r) {
        const ggml_fp16_t * bias = mask.row(row + r);
        for (int c = 0; c < cells; ++c) {
            if (bias[found[c]] != 0) {
                std::fill_n(scratch.scores[c] + r * heads, heads, GGML_CPU_FP16_TO_FP32(bias[found[c]]));
            }
        }
    }
}

// Adds what registers of queries get from some cells to what they have so far: COUNT at a time, then what is left over.
template <int SIZE, int COUNT>
void look_many(Scratch<SIZE> & scratch, Softmax & softmax, int cells, int first, int registers) {
    for (; registers >= COUNT; registers -= COUNT, first += COUNT * LANES) {
        float * scores = scratch.scores[0] + first;
        Lanes kept[COUNT];
        multiply_many<SIZE, COUNT, QUERIES>(scratch.queries + first, scratch.keys, cells, scores);
        for (int n = 0; n < COUNT; ++n) {
            const int at = n * LANES;
            kept[n] = share<QUERIES>(scores + at, cells, softmax.maxima + first + at, softmax.sums + first + at);
        }
        add_many<SIZE, COUNT, QUERIES>(scores, scratch.values, cells, kept, scratch.outputs + first);
    }
    if constexpr (COUNT > 1) {
        look_many<SIZE, COUNT - 1>(scratch, softmax, cells, first, registers);
    }
}

}  // namespace
