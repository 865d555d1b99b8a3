/* Arrays of the four element types for the structured operations. */
#include "src/wide.h"

#include <string.h>

#ifdef __AVX__
#error "the API is called on every CPU: compile it for the baseline, without -mavx or -march"
#endif

enum { BLOCK = ACT_HALF_BLOCK, CHUNK = 256 };

act_status act_wide_check(act_dtype type, unsigned flags, unsigned allowed,
                          struct act_choice *choice, struct act_wide *wide)
{
    const act_status status = act_check_type(type, flags, allowed, choice);
    if (status != ACT_OK)
        return status;
    if (type > ACT_F16)
        return ACT_ERR_UNSUPPORTED;
    const struct act_table *table = act_tables[choice->isa];
    const int half = type == ACT_BF16 || type == ACT_F16;
    wide->compute = type == ACT_F64 ? ACT_F64 : ACT_F32;
    wide->work = type == ACT_F64 ? sizeof(double) : sizeof(float);
    wide->size = half ? sizeof(uint16_t) : wide->work;
    wide->convert = type == ACT_BF16 ? table->bf16 : type == ACT_F16 ? table->f16 : NULL;
    wide->f16 = type == ACT_F16;
    return ACT_OK;
}

void act_widen(const struct act_wide *wide, const void *in, float *out, size_t n)
{
    const size_t whole = n / BLOCK * BLOCK;
    for (size_t i = 0; i < whole; i += 65536)
        wide->convert->widen((const char *)in + 2 * i, out + i,
                             whole - i < 65536 ? whole - i : 65536);
    if (whole == n)
        return;
    uint16_t rest[BLOCK] = {0};
    float last[BLOCK];
    memcpy(rest, (const char *)in + 2 * whole, 2 * (n - whole));
    wide->convert->widen(rest, last, BLOCK);
    memcpy(out + whole, last, (n - whole) * sizeof *out);
}

/* To nearest even, one element. */
static uint16_t round_to_even(int f16, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    bits &= 0x7fffffff;
    if (bits > 0x7f800000)
        return sign | (f16 ? 0x7e00 : 0x7fc0);
    if (!f16)
        return sign | (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    if (bits >= 0x477ff000) /* 65520, half way to 2^16 */
        return sign | 0x7c00;
    if (bits >= 0x38800000) /* 2^-14 */
        return sign | (uint16_t)((bits + 0xfff + (bits >> 13 & 1) - (112u << 23)) >> 13);
    float size;
    memcpy(&size, &bits, sizeof size);
    return sign | (uint16_t)((size * 0x1p24f + 0x1p23f) - 0x1p23f);
}

/* The loops round ties somewhere and list them. */
static void narrow_chunk(const struct act_wide *wide, const float *in, unsigned char *out, size_t n)
{
    static const struct act_tolerance exact = {0};
    uint16_t doubtful[CHUNK];
    const size_t count = wide->convert->narrow(in, in, in, &exact, out, doubtful, n);
    for (size_t i = 0; i < count; i++) {
        const uint16_t bits = round_to_even(wide->f16, in[doubtful[i]]);
        memcpy(out + 2 * doubtful[i], &bits, sizeof bits);
    }
}

void act_narrow(const struct act_wide *wide, const float *in, void *out, size_t n)
{
    const size_t whole = n / BLOCK * BLOCK;
    unsigned char *to = out;
    for (size_t i = 0; i < whole; i += CHUNK)
        narrow_chunk(wide, in + i, to + 2 * i, whole - i < CHUNK ? whole - i : CHUNK);
    if (whole == n)
        return;
    float last[BLOCK] = {0};
    unsigned char rest[2 * BLOCK];
    memcpy(last, in + whole, (n - whole) * sizeof *in);
    narrow_chunk(wide, last, rest, BLOCK);
    memcpy(to + 2 * whole, rest, 2 * (n - whole));
}

void act_fetch(const struct act_wide *wide, const void *in, void *work, size_t n)
{
    if (wide->convert)
        act_widen(wide, in, work, n);
    else
        memcpy(work, in, n * wide->size);
}

void act_deliver(const struct act_wide *wide, const void *work, void *out, size_t n)
{
    if (wide->convert)
        act_narrow(wide, work, out, n);
    else
        memcpy(out, work, n * wide->size);
}

void act_store_sums(const struct act_wide *wide, const double *sums, void *to, size_t n,
                    int accumulate)
{
    char *p = to;
    if (wide->compute == ACT_F64) {
        for (size_t i = 0; i < n; i++, p += sizeof(double)) {
            double value = 0;
            if (accumulate)
                memcpy(&value, p, sizeof value);
            value += sums[i];
            memcpy(p, &value, sizeof value);
        }
        return;
    }
    for (size_t i = 0; i < n; i++, p += sizeof(float)) {
        float value = 0;
        if (accumulate)
            memcpy(&value, p, sizeof value);
        value = (float)((double)value + sums[i]);
        memcpy(p, &value, sizeof value);
    }
}
