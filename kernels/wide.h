/* VL doubles, whatever the element type: the w_ operations of the ISA's f32 units, here for those
 * that compute in double. */
#ifndef ACT_KERNELS_WIDE_H
#define ACT_KERNELS_WIDE_H

#include "kernels/kernel.h"

#if V_DOUBLE
typedef vec vwide;
#define w_set v_set
#define w_add v_add
#define w_sub v_sub
#define w_mul v_mul
#define w_div v_div
#define w_fma v_fma
ACT_OP vwide w_from(vec a)
{
    return a;
}
ACT_OP vec w_to(vwide a)
{
    return a;
}
#if ACT_UNIT_F64
ACT_OP vwide w_load(const double *p)
{
    return v_load(p);
}
ACT_OP void w_store(double *p, vwide a)
{
    v_store(p, a);
}
#else /* the scalar table's f32 */
ACT_OP vwide w_load(const double *p)
{
    return *p;
}
ACT_OP void w_store(double *p, vwide a)
{
    *p = a;
}
#endif
#endif

#endif
