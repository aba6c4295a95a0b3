// Products and sums of rows of numbers, written with the vectors of GCC and Clang, which become the registers of the
// processor that is compiled for.
#pragma once

#include <algorithm>
#include <numeric>

namespace {

// Numbers in a register.
#ifdef __AVX512F__
constexpr int LANES = 16;
#else
constexpr int LANES = 8;
#endif

typedef float Lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float)), may_alias));

Lanes & lanes(float * numbers) {
    return *reinterpret_cast<Lanes *>(numbers);
}

const Lanes & lanes(const float * numbers) {
    return *reinterpret_cast<const Lanes *>(numbers);
}

// The sum of each of four registers: halves of them are added, until there is a number of each.
void sums(const Lanes * of, float * four) {
#ifdef __AVX512F__
    const auto halves = [](Lanes a, Lanes b) {
        return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
            + __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    };
    const Lanes a = halves(of[0], of[1]);
    const Lanes b = halves(of[2], of[3]);
    const Lanes quarters = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
        + __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    const Lanes pairs = quarters
        + __builtin_shufflevector(quarters, quarters, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
    for (int j = 0; j < 4; ++j) {
        four[j] = pairs[4 * j] + pairs[4 * j + 1];
    }
#else
    const auto halves = [](Lanes a, Lanes b) {
        return __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
            + __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
    };
    const Lanes a = halves(of[0], of[1]);
    const Lanes b = halves(of[2], of[3]);
    const Lanes pairs = __builtin_shufflevector(a, b, 0, 1, 4, 5, 8, 9, 12, 13)
        + __builtin_shufflevector(a, b, 2, 3, 6, 7, 10, 11, 14, 15);
    for (int j = 0; j < 4; ++j) {
        four[j] = pairs[2 * j] + pairs[2 * j + 1];
    }
#endif
}

// The products of COUNT queries with `cells` keys, four at a time: no addition has to wait for the one before it.
template <int SIZE, int COUNT, int MOST>
void multiply(const float * queries, const float * keys, int cells, float (*scores)[MOST]) {
    for (int c = 0; c < cells; c += 4) {
        Lanes products[COUNT][4] = {};
        const float * key[4];
        for (int j = 0; j < 4; ++j) {
            key[j] = keys + std::min(c + j, cells - 1) * SIZE;
        }
#pragma GCC unroll 4
        for (int i = 0; i < SIZE; i += LANES) {
            for (int n = 0; n < COUNT; ++n) {
                for (int j = 0; j < 4; ++j) {
                    products[n][j] += lanes(queries + n * SIZE + i) * lanes(key[j] + i);
                }
            }
        }
        for (int n = 0; n < COUNT; ++n) {
            sums(products[n], scores[n] + c);
        }
    }
}

// outputs[n] = outputs[n] * kept[n] + the sum of shares[n][c] * values[c], for COUNT of them.
template <int SIZE, int COUNT, int MOST>
void add(const float (*shares)[MOST], const float * values, int cells, const float * kept, float * outputs) {
    constexpr int WIDTH = std::gcd(SIZE / LANES, 4);  // registers of each that are added up at a time
    for (int at = 0; at < SIZE; at += WIDTH * LANES) {
        Lanes added[COUNT][WIDTH];
        for (int n = 0; n < COUNT; ++n) {
            for (int i = 0; i < WIDTH; ++i) {
                added[n][i] = lanes(outputs + n * SIZE + at + i * LANES) * kept[n];
            }
        }
        for (int c = 0; c < cells; ++c) {
            for (int i = 0; i < WIDTH; ++i) {
                for (int n = 0; n < COUNT; ++n) {
                    added[n][i] += lanes(values + c * SIZE + at + i * LANES) * shares[n][c];
                }
            }
        }
        for (int n = 0; n < COUNT; ++n) {
            for (int i = 0; i < WIDTH; ++i) {
                lanes(outputs + n * SIZE + at + i * LANES) = added[n][i];
            }
        }
    }
}

}  // namespace
