// Attention in a memory that many sequences share. Takes the place of ggml's function for it (see llama.cmake), which
// looks at the cells of all sequences for each token and each head, and converts a key to 32 bits for each head again.
//
// Here, tokens that see nearly the same, as those of one prompt do, are computed together, with all heads that share
// their keys ("grouped queries"): a block. The cells that a block sees are found four at a time and once for all its
// heads, and their keys and values are converted once. Sums are in 32 bits; for few tokens, ggml adds values up in 16.
// Where there are as many queries as a register has lanes, each gets one (many.h); fewer share them (lanes.h).
//
// The softmax is the running one of Milakov and Gimelshein (arXiv:1805.02867), sum(exp(s_i - m) v_i) over
// sum(exp(s_i - m)): what has been added up is scaled whenever the maximum m grows.

#include "block.h"
#include "ggml-cpu-impl.h"
#include "ggml-cpu.h"
#include "mask.h"
#include "ops.h"
#include "simd-mappings.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace {

// A token's query for a head, and where the answer to it goes.
const float * query_at(const ggml_tensor * dst, int64_t row, int64_t head) {
    const ggml_tensor * q = dst->src[0];
    return reinterpret_cast<const float *>(static_cast<const char *>(q->data) + row * q->nb[1] + head * q->nb[2]);
}

float * answer_at(const ggml_tensor * dst, int64_t row, int64_t head) {
    return reinterpret_cast<float *>(static_cast<char *>(dst->data) + head * dst->nb[1] + row * dst->nb[2]);
}

void convert(const ggml_tensor * source, int64_t cell, int64_t head, float * target) {
    const char * data = static_cast<const char *>(source->data) + cell * source->nb[1] + head * source->nb[2];
    ggml_cpu_fp16_to_fp32(reinterpret_cast<const ggml_fp16_t *>(data), target, source->ne[0]);
}

// Answers the queries of some heads that share their keys, for tokens that see nearly the same.
template <int SIZE>
void attend(
    const ggml_tensor * dst, Scratch<SIZE> & scratch, const Mask & mask, int64_t row, int rows, int64_t head, int heads
) {
    const ggml_tensor * k = dst->src[1];
    const int64_t shared = head / (dst->src[0]->ne[2] / k->ne[2]);
    const float scale = ggml_get_op_params_f32(dst, 0);
    const int queries = rows * heads;
    const bool many = queries >= LANES;
    const int next = many ? QUERIES : 1;  // from a query's number to its next
    const int other = many ? 1 : SIZE;  // from a query to another
    Softmax softmax;
    std::fill_n(softmax.maxima, QUERIES, -INFINITY);
    std::fill_n(softmax.sums, QUERIES, 0.0f);
    if (many) {  // lanes without a query
        std::fill_n(scratch.queries, QUERIES * SIZE, 0.0f);
    }
    std::fill_n(scratch.outputs, (many ? QUERIES : queries) * SIZE, 0.0f);
    for (int n = 0; n < queries; ++n) {
        const float * query = query_at(dst, row + n / heads, head + n % heads);
        for (int i = 0; i < SIZE; ++i) {
            scratch.queries[n * other + i * next] = query[i] * scale;
        }
    }
    int64_t found[CELLS];
    for (int64_t cell = 0; const int count = mask.visible(row, rows, TOGETHER<SIZE>, cell, found);) {
        for (int c = 0; c < count; ++c) {
            convert(k, found[c], shared, scratch.keys + c * SIZE);
            convert(dst->src[2], found[c], shared, scratch.values + c * SIZE);
        }
        if (many) {
            begin(scratch, mask, row, rows, heads, found, count);
            look_many<SIZE, REGISTERS>(scratch, softmax, count, 0, (queries + LANES - 1) / LANES);
            continue;
        }
        for (int r = 0; r < rows; ++r) {
            for (int c = 0; c < count; ++c) {
                softmax.bias[r][c] = GGML_CPU_FP16_TO_FP32(mask.row(row + r)[found[c]]);
            }
        }
        look_few<SIZE, 2>(scratch, softmax, count, 0, queries, heads);
    }
    for (int n = 0; n < queries; ++n) {
        const float share = softmax.sums[n] == 0.0f ? 0.0f : 1.0f / softmax.sums[n];
        float * answer = answer_at(dst, row + n / heads, head + n % heads);
        for (int i = 0; i < SIZE; ++i) {
            answer[i] = scratch.outputs[n * other + i * next] * share;
        }
    }
}

// One thread's part: every so many items, each of which is some tokens and some heads that share their keys.
template <int SIZE>
void compute(const ggml_compute_params * params, const ggml_tensor * dst) {
    const int64_t tokens = dst->src[0]->ne[1];
    const int64_t shared = dst->src[1]->ne[2];
    const int each = static_cast<int>(dst->src[0]->ne[2] / shared);
    int heads = each;
    int most = QUERIES / heads;
    const auto parts = [&] { return (each + heads - 1) / heads * shared; };
    const auto items = [&] { return (tokens + most - 1) / most * parts(); };
    // Smaller items where there would be too few for all threads: of fewer tokens, then of fewer heads.
    while (most > 1 && items() < 4 * params->nth) {
        most /= 2;
    }
    while (heads > 1 && items() < 2 * params->nth) {
        heads = (heads + 1) / 2;
    }
    const int64_t of_same = parts();  // items of the same tokens
    const int64_t count = items();
    static_assert(sizeof(Scratch<SIZE>) <= sizeof(float) * (4 * QUERIES * SIZE + 2 * QUERIES * CELLS));
    const size_t own = params->wsize / params->nth / alignof(Scratch<SIZE>) * alignof(Scratch<SIZE>);
    auto * scratch = reinterpret_cast<Scratch<SIZE> *>(static_cast<char *>(params->wdata) + own * params->ith);
    const Mask mask{static_cast<const char *>(dst->src[3]->data), dst->src[3]->nb[1], dst->src[1]->ne[1]};
    for (int64_t item = params->ith; item < count; item += params->nth) {
        const int64_t part = item % of_same;
        const int64_t group = part % shared * each;
        const int64_t first = part / shared * heads;
        const int some = static_cast<int>(std::min<int64_t>(heads, each - first));
        const int64_t begin = item / of_same * most;
        const int64_t end = std::min(tokens, begin + most);
        for (int64_t row = begin; row < end;) {
            int rows = 1;
            while (row + rows < end && mask.similar(row + rows - 1, row + rows)) {
                ++rows;
            }
            attend<SIZE>(dst, *scratch, mask, row, rows, group + first, some);
            row += rows;
        }
    }
}

// What llama.cpp asks for with one attention memory in 16 bits; the rest is left to ggml.
bool fits(const ggml_compute_params * params, const ggml_tensor * dst) {
    const ggml_tensor * q = dst->src[0];
    const ggml_tensor * k = dst->src[1];
    const ggml_tensor * v = dst->src[2];
    const ggml_tensor * mask = dst->src[3];
    const bool numbers = q->type == GGML_TYPE_F32 && k->type == GGML_TYPE_F16 && v->type == GGML_TYPE_F16;
    const bool shapes = q->ne[3] == 1 && k->ne[0] == v->ne[0] && q->ne[2] <= QUERIES * k->ne[2];
    const bool plain = ggml_get_op_params_f32(dst, 1) == 0.0f && ggml_get_op_params_f32(dst, 2) == 0.0f;
    const bool masked = mask != nullptr && mask->type == GGML_TYPE_F16 && mask->ne[2] == 1 && k->ne[1] % 4 == 0;
    const bool sinks = dst->src[4] != nullptr;
    return !params->use_ref && numbers && shapes && plain && masked && !sinks;
}

}  // namespace

extern "C" void codemodel_attention(const ggml_compute_params * params, ggml_tensor * dst);

extern "C" void codemodel_attention(const ggml_compute_params * params, ggml_tensor * dst) {
    switch (fits(params, dst) ? dst->src[1]->ne[0] : 0) {
        case 32: return compute<32>(params, dst);
        case 64: return compute<64>(params, dst);
        case 80: return compute<80>(params, dst);
        case 96: return compute<96>(params, dst);
        case 128: return compute<128>(params, dst);
        case 256: return compute<256>(params, dst);
        default: return ggml_compute_forward_flash_attn_ext(params, dst);
    }
}
