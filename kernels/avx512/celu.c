/* CELU with alpha = 1 is ELU with alpha = 1.
 *
 * Worst of all 2^32 floats, in ULP (docs/ACCURACY.md): 1.0056 at x = -0.0317062549 (got
 * -0.031208884, want -0.03120888209793); g f' 1.8102 at x = -0.625047982, g = 3.7 (got 1.98037207,
 * want 1.980372287058). */
#include "kernels/celu.c"

#define ACT_TABLE_APPLIES(p) ((float)(p)->alpha == 1)

#include "kernels/avx512/elu_table.h"

#define celu_near      unit_elu
#define celu_far       unit_elu_far
#define celu_tail      unit_elu_tail
#define celu_near_grad unit_elu_grad
#define celu_far_grad  unit_elu_far_grad
#define celu_tail_grad unit_elu_tail_grad
ACT_KERNEL_TABLE(celu, elu, elu_grad, ACT_SYMBOL(celu, out), ACT_STREAM_SYMBOL(celu, out))
