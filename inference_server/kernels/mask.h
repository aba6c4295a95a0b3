// Which cells tokens may see, as ggml is told.
#pragma once

#include "ggml.h"

#include <cstdint>
#include <cstring>

namespace {

constexpr uint64_t FOUR_HIDDEN = 0xFC00FC00FC00FC00;  // four times minus infinity, in 16 bits each

// Two rows of a mask that differ in no more than so many groups of four cells are computed together: the next token of
// a sequence sees one cell more, and with a sliding window one less.
constexpr int SIMILAR = 2;

// Which cells, a multiple of four, the tokens of a block may see: rows of ggml's mask.
struct Mask {
    const char * data;
    size_t stride;
    int64_t cells;

    const ggml_fp16_t * row(int64_t r) const {
        return reinterpret_cast<const ggml_fp16_t *>(data + r * stride);
    }

    uint64_t four(int64_t r, int64_t cell) const {
        uint64_t word;
        std::memcpy(&word, row(r) + cell, sizeof(word));
        return word;
    }

    bool similar(int64_t r, int64_t other) const {
        int differences = 0;
        for (int64_t cell = 0; cell < cells && differences <= SIMILAR; cell += 4) {
            differences += four(r, cell) != four(other, cell);
        }
        return differences <= SIMILAR;
    }

    // The next cells that any of the rows sees, at most `most`; `cell` moves on. Returns how many were found.
    int visible(int64_t first, int rows, int most, int64_t & cell, int64_t * found) const {
        int count = 0;
        for (; cell < cells && count <= most - 4; cell += 4) {
            uint64_t seen = 0;
            for (int r = 0; r < rows; ++r) {
                seen |= four(first + r, cell) ^ FOUR_HIDDEN;
            }
            for (int64_t i = 0; seen != 0; ++i, seen >>= 16) {
                found[count] = cell + i;
                count += (seen & 0xFFFF) != 0;
            }
        }
        return count;
    }
};

}  // namespace
