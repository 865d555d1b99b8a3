/* sigmoid(-a) and sigmoid'(a) from tables, for sigmoid, tanh', softplus', logsigmoid'. */
#ifndef ACT_KERNELS_AVX512_LOGISTIC_H
#define ACT_KERNELS_AVX512_LOGISTIC_H

#include "kernels/avx512/table.h"
#include "kernels/avx512/tables/sigmoid.h"
#include "kernels/avx512/tables/sigmoid_grad.h"

#define LOGISTIC_END      15.25f
#define LOGISTIC_GRAD_END 13.829f

/* sigmoid(|x|) if sign is positive, sigmoid(-|x|) if negative: the latter down to -LOGISTIC_END. */
ACT_OP vec logistic_near(vec x, vec sign, const struct table *t)
{
    const vec a = table_abs_nan(x, 18);
    const vec number = v_min(table_number(a, SIGMOID_INDEX), v_set(LAST_ENTRY));
    return table_mirrored(sign, table_value(t, 5, a, number));
}

/* sigmoid'(x) up to LOGISTIC_GRAD_END. */
ACT_OP vec logistic_near_grad(vec x, const struct table *t)
{
    const vec a = table_abs(x, LOGISTIC_GRAD_END);
    return table_value(t, 5, a, table_number(a, SIGMOID_GRAD_INDEX));
}

#endif
