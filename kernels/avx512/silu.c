/* SiLU from tables of a sigmoid(-a) and silu'(-a), a = |x|. Beyond -13.32 the tail.
 *
 * Worst of all 2^32 floats, in ULP (docs/ACCURACY.md): 1.0924 at x = -0.131926283 (got
 * -0.0616183095, want -0.0616183053984); g f' 1.8945 at x = -0.695796132, g = 0.7 (got 0.124782182,
 * want 0.1247821963916). */
#include "kernels/silu.c"

#include "kernels/avx512/silu_table.h"

#define silu_near       unit_silu
#define silu_watch      table_low
#define silu_far        SILU_FAR
#define silu_tail       unit_silu_tail
#define silu_near_grad  unit_silu_grad
#define silu_watch_grad table_low
#define silu_far_grad   SILU_FAR
#define silu_tail_grad  unit_silu_tail_grad
ACT_KERNEL_TABLE(silu, silu, silu_grad, NULL, NULL)
