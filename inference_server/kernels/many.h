// Attention of many queries: each has a lane, so nothing is added up across lanes, and each number of a key or a value
// is multiplied with all of them at once. So queries lie side by side: QUERIES to each of their numbers, to each cell
// of their scores, and to each number of their outputs.
#pragma once

#include "lanes.h"
#include "vec.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

namespace {

// Registers of queries at a time, so that four registers of sums each, and what is multiplied, have room.
#ifdef __AVX512F__
constexpr int REGISTERS = 4;
#else
constexpr int REGISTERS = 2;
#endif

Lanes exponential(Lanes x) {
#if defined(__AVX512F__) && defined(__AVX512DQ__)
    return reinterpret_cast<Lanes>(ggml_v_expf(reinterpret_cast<__m512>(x)));
#elif defined(__AVX2__) && defined(__FMA__)
    return reinterpret_cast<Lanes>(ggml_v_expf(reinterpret_cast<__m256>(x)));
#else
    for (int i = 0; i < LANES; ++i) {
        x[i] = std::exp(x[i]);
    }
    return x;
#endif
}

// Adds products with keys to scores, four cells at a time; what is beyond the last is the last.
template <int SIZE, int COUNT, int QUERIES>
void multiply_many(const float * queries, const float * keys, int cells, float * scores) {
    for (int c = 0; c < cells; c += 4) {
        const float * key[4];
        float * score[4];
        Lanes products[4][COUNT];
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) {
            key[j] = keys + std::min(c + j, cells - 1) * SIZE;
            score[j] = scores + std::min(c + j, cells - 1) * QUERIES;
#pragma GCC unroll 4
            for (int n = 0; n < COUNT; ++n) {
                products[j][n] = lanes(score[j] + n * LANES);
            }
        }
        for (int i = 0; i < SIZE; ++i) {
#pragma GCC unroll 4
            for (int j = 0; j < 4; ++j) {
#pragma GCC unroll 4
                for (int n = 0; n < COUNT; ++n) {
                    products[j][n] += lanes(queries + i * QUERIES + n * LANES) * key[j][i];
                }
            }
        }
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) {
#pragma GCC unroll 4
            for (int n = 0; n < COUNT; ++n) {
                lanes(score[j] + n * LANES) = products[j][n];
            }
        }
    }
}

// Scores of a register of queries become shares; maxima and sums learn of them. Returns what earlier outputs are worth.
template <int QUERIES>
Lanes share(float * scores, int cells, float * maxima, float * sums) {
    Lanes higher = lanes(maxima);
    for (int c = 0; c < cells; ++c) {
        const Lanes score = lanes(scores + c * QUERIES);
        higher = score > higher ? score : higher;
    }
    // Of a block, one token may see nothing yet; anything finite is as good as no maximum then.
    higher = higher > -FLT_MAX ? higher : Lanes{} - FLT_MAX;
    const Lanes kept = exponential(lanes(maxima) - higher);
    Lanes sum = lanes(sums) * kept;
    for (int c = 0; c < cells; ++c) {
        const Lanes exponent = exponential(lanes(scores + c * QUERIES) - higher);
        lanes(scores + c * QUERIES) = exponent;
        sum += exponent;
    }
    lanes(maxima) = higher;
    lanes(sums) = sum;
    return kept;
}

// outputs = outputs * kept + the sum of shares * values, four numbers at a time.
template <int SIZE, int COUNT, int QUERIES>
void add_many(const float * shares, const float * values, int cells, const Lanes * kept, float * outputs) {
    for (int i = 0; i < SIZE; i += 4) {
        Lanes added[4][COUNT];
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) {
#pragma GCC unroll 4
            for (int n = 0; n < COUNT; ++n) {
                added[j][n] = lanes(outputs + (i + j) * QUERIES + n * LANES) * kept[n];
            }
        }
        for (int c = 0; c < cells; ++c) {
#pragma GCC unroll 4
            for (int j = 0; j < 4; ++j) {
#pragma GCC unroll 4
                for (int n = 0; n < COUNT; ++n) {
                    added[j][n] += lanes(shares + c * QUERIES + n * LANES) * values[c * SIZE + i + j];
                }
            }
        }
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) {
#pragma GCC unroll 4
            for (int n = 0; n < COUNT; ++n) {
                lanes(outputs + (i + j) * QUERIES + n * LANES) = added[j][n];
            }
        }
    }
}

}  // namespace
