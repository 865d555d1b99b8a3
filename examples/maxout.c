/* An affine maxout layer, y = max over k of (W_k x + b_k), around a matrix product of your own (the
 * loops here; a CBLAS in practice), and its gradients.
 *
 *   cc maxout.c $(pkg-config --cflags --libs actfn) && ./a.out */
#include <actfn/actfn.h>

#include <stdio.h>

enum { BATCH = 2, PIECES = 3, IN = 4, OUT = 5, ROWS = PIECES * OUT };

/* c[m][n] += a[m][k] b[k][n], each with its step from row to row and from column to column. */
static void multiply(size_t m, size_t n, size_t k, const float *a, size_t a_row, size_t a_column,
                     const float *b, size_t b_row, size_t b_column, float *c)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            for (size_t l = 0; l < k; l++)
                c[i * n + j] += a[i * a_row + l * a_column] * b[l * b_row + j * b_column];
}

int main(void)
{
    float x[BATCH * IN], w[ROWS * IN], b[ROWS], z[BATCH * ROWS];
    float y[BATCH * OUT], dy[BATCH * OUT], dz[BATCH * ROWS];
    float dx[BATCH * IN] = {0}, dw[ROWS * IN] = {0}, db[ROWS] = {0};
    int32_t arg[BATCH * OUT];
    for (int i = 0; i < BATCH * IN; i++)
        x[i] = (float)(i * 5 % 7) - 3;
    for (int i = 0; i < ROWS * IN; i++)
        w[i] = (float)(i * 7 % 11) / 5 - 1;
    for (int i = 0; i < ROWS; i++)
        b[i] = (float)(i % 3) / 10;

    /* One product gives all pieces: z[batch][piece][out]. */
    for (int r = 0; r < BATCH; r++)
        for (int i = 0; i < ROWS; i++)
            z[r * ROWS + i] = b[i];
    multiply(BATCH, ROWS, IN, x, IN, 1, w, 1, IN, z);
    const act_shape shape = {BATCH, PIECES, OUT};
    act_status status = act_maxout_forward(ACT_F32, 0, shape, z, y, arg);

    /* Of the sum of y: the piece that was largest takes the gradient. */
    for (int i = 0; i < BATCH * OUT; i++)
        dy[i] = 1;
    if (status == ACT_OK)
        status = act_maxout_backward(ACT_F32, 0, shape, arg, dy, dz);
    if (status != ACT_OK) {
        fprintf(stderr, "%s\n", act_status_string(status));
        return 1;
    }
    multiply(ROWS, IN, BATCH, dz, 1, ROWS, x, IN, 1, dw);
    multiply(BATCH, IN, ROWS, dz, ROWS, 1, w, IN, 1, dx);
    for (int r = 0; r < BATCH; r++)
        for (int i = 0; i < ROWS; i++)
            db[i] += dz[r * ROWS + i];

    for (int i = 0; i < OUT; i++) {
        const int row = arg[i] * OUT + i;
        printf("y[0][%d] = %g, of piece %d, whose db is %g and dw", i, (double)y[i], arg[i],
               (double)db[row]);
        for (int j = 0; j < IN; j++)
            printf(" %g", (double)dw[row * IN + j]);
        printf("\n");
    }
    printf("dx[0] = %g %g %g %g\n", (double)dx[0], (double)dx[1], (double)dx[2], (double)dx[3]);
    return 0;
}
