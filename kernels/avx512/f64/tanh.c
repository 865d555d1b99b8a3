/* tanh in f64 from a table; the derivative is the generic one. 29.8 cycles a vector become ... */
#include "kernels/tanh.c"

#include "kernels/avx512/f64/table.h"
#include "kernels/avx512/tables/tanh64.h"

#define TANH_TABLE_END 19.2 /* 1 - tanh 19.2 = 2^-54.4: 1 */

ACT_OP vec tanh_table(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_min(v_set(TANH_TABLE_END), v_abs(x));
    return v_or(table64_value(tanh_rows, 13, a, table64_number(a, TANH_INDEX)), v_sign(x));
}

ACT_LOOP1(tanh_table, tanh, fwd_fast)
ACT_KERNEL_ROW(tanh_fast, tanh, fwd_fast, bwd, ACT_SYMBOL(tanh, out), ACT_STREAM_SYMBOL(tanh, out))
