/* 16 threads whose first use of the library is at the same moment; the same while another thread
 * changes ISA and mode: every result must have the bits of one table, whole; a child forked
 * meanwhile computes too; and a call before the library's constructor has run. */
#define _GNU_SOURCE
#include "ops.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N = 67, THREADS = 16, ROUNDS = 300, KINDS_MAX = 256, ISAS_MAX = 32, FORKS = 20 };

static float x[N], g[N];
/* [kind][op]: what each table computes, and what the threads' first calls gave */
static float want[ISAS_MAX][KINDS_MAX][OP_COUNT][N];
static float first[THREADS][KINDS_MAX][OP_COUNT][N];
static pthread_barrier_t barrier;
static atomic_int wrong, stop;

static void compute(act_kind kind, int op, float *out)
{
    memset(out, 0, N * sizeof *out);
    if (offers(kind, op) && call(ACT_F32, op, kind, NULL, x, g, out, N) != ACT_OK)
        wrong++;
}

static int one_of_the_tables(act_kind kind, int op, const float *out)
{
    FOR_ISA(isa)
    {
        if (memcmp(out, want[isa][kind][op], N * sizeof *out) == 0)
            return 1;
    }
    printf("%s %s: not the result of any one table\n", act_kind_name(kind), op_name[op]);
    return 0;
}

static void *first_use(void *arg)
{
    float(*const out)[OP_COUNT][N] = arg;
    pthread_barrier_wait(&barrier);
    FOR_KIND(kind) FOR_OP(op) compute(kind, op, out[kind][op]);
    return NULL;
}

static void *keep_computing(void *arg)
{
    (void)arg;
    float out[N];
    for (int round = 0; round < ROUNDS; round++)
        FOR_KIND(kind) FOR_OP(op)
        {
            compute(kind, op, out);
            wrong += !one_of_the_tables(kind, op, out);
        }
    return NULL;
}

static void *keep_changing(void *arg)
{
    (void)arg;
    while (!stop)
        FOR_ISA(isa)
        {
            act_set_mode(ACT_MODE_FAST);
            act_set_isa(isa);
            act_set_mode(ACT_MODE_REPRODUCIBLE);
        }
    return NULL;
}

static void fork_and_compute(void)
{
    const pid_t child = fork();
    if (child == 0) {
        float out[N];
        int bad = 0;
        FOR_KIND(kind) FOR_OP(op)
        {
            compute(kind, op, out);
            bad += !one_of_the_tables(kind, op, out);
        }
        fflush(stdout);
        _exit(bad != 0);
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        printf("the forked child: status %#x\n", (unsigned)status);
        wrong++;
    }
}

/* Before any constructor: the sanitizers are not ready for it either. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HAS_EARLY 1
static float early_out[3];
static act_isa early_isa = -1;
static void early_call(void)
{
    const float in[3] = {-1, 5, 0};
    act_forward(ACT_RELU, NULL, in, early_out, 3);
    early_isa = act_get_isa();
}
__attribute__((section(".preinit_array"), used)) static void (*const preinit)(void) = early_call;
#endif

int main(void)
{
    pthread_t thread[THREADS], changer;
    for (int i = 0; i < N; i++) {
        x[i] = (float)(i - 33) * .3f;
        g[i] = 1 + (float)(i % 5);
    }
#if HAS_EARLY
    if (early_isa != ACT_ISA_SCALAR || early_out[0] != 0 || early_out[1] != 5) {
        printf("before the constructor: ISA %d, relu(-1) %g, relu(5) %g\n", early_isa,
               (double)early_out[0], (double)early_out[1]);
        wrong++;
    }
#endif
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, first_use, first[i]);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);

    if (act_kind_count() > KINDS_MAX) {
        puts("raise KINDS_MAX");
        return 1;
    }
    const act_isa at_load = act_get_isa();
    FOR_ISA(isa)
    {
        act_set_isa(isa);
        FOR_KIND(kind) FOR_OP(op) compute(kind, op, want[isa][kind][op]);
    }
    for (int i = 0; i < THREADS; i++)
        if (memcmp(first[i], want[at_load], sizeof first[i]) != 0) {
            printf("thread %d: its first results are not those of %s\n", i, act_isa_name(at_load));
            wrong++;
        }

    pthread_create(&changer, NULL, keep_changing, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, keep_computing, NULL);
    for (int i = 0; i < FORKS; i++)
        fork_and_compute();
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    stop = 1;
    pthread_join(changer, NULL);
    return wrong != 0;
}
