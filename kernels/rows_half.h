/* Vectors of 16-bit elements for kernels/rows.h, of `lanes` lanes at any address: exact when read,
 * rounded to nearest even when written; NaN becomes quiet. Through the operations of the ISA's
 * header that kernels/half.c uses; the scalar table, whose vec is a double, has its own. */
#if ACT_UNIT_F64
#elif ACT_ISA_IS_SCALAR

ACT_OP float half_from_bits(uint32_t bits)
{
    float a;
    memcpy(&a, &bits, sizeof a);
    return a;
}

ACT_OP elem half_one(const char *p, int f16)
{
    uint16_t a;
    memcpy(&a, p, sizeof a);
    if (!f16)
        return half_from_bits((uint32_t)a << 16);
    const uint32_t size = a & 0x7fff, sign = (uint32_t)(a & 0x8000) << 16;
    if (size < 0x400)
        return (sign ? -0x1p-24f : 0x1p-24f) * (float)size;
    return half_from_bits(sign | ((size << 13) + ((size < 0x7c00 ? 112u : 224u) << 23)));
}

ACT_OP vec half_load(const char *p, size_t lanes, int f16)
{
    (void)lanes;
    return (vec)half_one(p, f16);
}

ACT_OP void half_store(char *p, vec a, size_t lanes, int f16)
{
    const float value = (float)a, size = fabsf(value);
    uint32_t bits;
    memcpy(&bits, &size, sizeof bits);
    uint32_t half;
    (void)lanes;
    if (value != value)
        half = f16 ? 0x7e00 : 0x7fc0;
    else if (!f16)
        half = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    else if (size >= 65520) /* half way to 2^16 */
        half = 0x7c00;
    else if (size >= 0x1p-14f)
        half = (bits + 0xfff + (bits >> 13 & 1) - (112u << 23)) >> 13;
    else
        half = (uint32_t)((size * 0x1p24f + 0x1p23f) - 0x1p23f);
    const uint16_t out = (uint16_t)(half | (signbit(value) ? 0x8000 : 0));
    memcpy(p, &out, sizeof out);
}

#else

#define HALF_CALL static __attribute__((noinline, unused)) /* what is rare or long: less code */
/* Functions of their own: their names hold the ISA, as every wide function's (tests/baseline.sh). */
#define half_load_few  ACT_PART_SYMBOL(half_load_few)
#define half_store_few ACT_PART_SYMBOL(half_store_few)

ACT_OP vint half_and(vint a, int32_t bits)
{
    return v_bits(v_and(v_from_bits(a), v_from_bits(i_set(bits))));
}

/* The first `lanes` elements, fewer than VL; no call of memcpy. */
ACT_OP void half_copy(char *to, const char *from, size_t lanes)
{
    if (VL > 8 && (lanes & 8))
        memcpy(to, from, 16), to += 16, from += 16;
    if (VL > 4 && (lanes & 4))
        memcpy(to, from, 8), to += 8, from += 8;
    if (VL > 2 && (lanes & 2))
        memcpy(to, from, 4), to += 4, from += 4;
    if (lanes & 1)
        memcpy(to, from, 2);
}

/* ---- read ------------------------------------------------------------------------------------ */

#if !H_HAS_F16
/* The exponent moves by 112; infinity and NaN by 112 again; a subnormal has no leading 1. */
HALF_CALL vec h_load_f16(const void *p)
{
    const vint a = h_load(p), bits = i_add(i_shl(half_and(a, 0x7fff), 13), i_set(112 << 23));
    const vec normal = v_from_bits(bits), sign = v_from_bits(i_shl(half_and(a, 0x8000), 16));
    const vec special = v_keep(v_le(v_set(0x1p16f), normal), v_from_bits(i_set(112 << 23)));
    const vec subnormal = v_sub(v_from_bits(i_add(bits, i_set(1 << 23))), v_set(0x1p-14f));
    const vec size = v_select(v_lt(normal, v_set(0x1p-14f)), subnormal,
                              v_from_bits(i_add(bits, v_bits(special))));
    return v_or(size, sign);
}
#endif

ACT_OP vec half_widen(const char *p, int f16)
{
    return f16 ? h_load_f16(p) : v_from_bits(i_shl(h_load(p), 16));
}

HALF_CALL vec half_load_few(const char *p, size_t lanes, int f16)
{
    char part[2 * VL] = {0};
    half_copy(part, p, lanes);
    return half_widen(part, f16);
}

ACT_OP vec half_load(const char *p, size_t lanes, int f16)
{
    return lanes == VL ? half_widen(p, f16) : half_load_few(p, lanes, f16);
}

ACT_OP elem half_one(const char *p, int f16)
{
    elem lane[VL];
    v_store(lane, half_load_few(p, 1, f16));
    return lane[0];
}

/* ---- written --------------------------------------------------------------------------------- */

#if !H_HAS_F16
HALF_CALL void h_store_f16(unsigned char *p, vec y, vec again)
{
    (void)again;
    const vec a = v_abs(y);
    const vint bits = v_bits(a), odd = half_and(i_sar(bits, 13), 1);
    const vint normal = i_sar(i_add(bits, i_add(odd, i_set(0xfff - (112 << 23)))), 13);
    /* Below 2^-14 a multiple of 2^-24, the last place of numbers from .5 to 1. */
    const vint low = i_sub(v_bits(v_add(a, v_set(0.5f))), v_bits(v_set(0.5f)));
    const vec most = v_from_bits(i_sub(normal, i_max(i_sub(normal, i_set(0x7c00)), i_set(0))));
    const vec size = v_select(v_lt(a, v_set(0x1p-14f)), v_from_bits(low), most);
    const vec sign = v_from_bits(half_and(h_shr16(v_bits(y)), 0x8000));
    const vint half = v_bits(v_or(v_select(v_eq(y, y), size, v_from_bits(i_set(0x7e00))), sign));
    h_store(p, half, half);
}
#endif

/* Twice, since the ISA's stores are of two vectors. */
ACT_OP void half_narrow(unsigned char both[4 * VL], vec y, int f16)
{
    if (f16) {
        h_store_f16(both, y, y);
        return;
    }
    const vint bits = v_bits(y), odd = half_and(i_sar(bits, 16), 1);
    const vec rounded = v_from_bits(i_add(bits, i_add(odd, i_set(0x7fff))));
    const vint half =
        h_shr16(v_bits(v_select(v_eq(y, y), rounded, v_from_bits(i_set(0x7fc00000)))));
    h_store(both, half, half);
}

HALF_CALL void half_store_few(char *p, vec y, size_t lanes, int f16)
{
    unsigned char both[4 * VL];
    half_narrow(both, y, f16);
    half_copy(p, (const char *)both, lanes);
}

ACT_OP void half_store(char *p, vec y, size_t lanes, int f16)
{
    unsigned char both[4 * VL];
    if (lanes != VL) {
        half_store_few(p, y, lanes, f16);
        return;
    }
    half_narrow(both, y, f16);
    memcpy(p, both, 2 * VL);
}

#endif
