/* Threads inside a call: the same bits whatever their number; the setters; an executor of the
 * caller; a child after fork. */
#define _GNU_SOURCE
#include "ops.h"

#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST = 200003, GUARD = 64 };
static double in[MOST], grad[MOST], whole[MOST + GUARD], cut[MOST + GUARD];

static void fill(act_dtype t)
{
    uint32_t state = 1;
    for (int i = 0; i < MOST; i++) {
        state = state * 1664525u + 1013904223u;
        const double x = (double)(int32_t)state * 0x1p-28, g = (double)(state >> 8) * 0x1p-24 - 0.5;
        put(in, t, (size_t)i, x);
        put(grad, t, (size_t)i, g);
    }
}

/* Does the call give the bits of a call in one piece, and touch nothing beyond? */
static void check_call(act_dtype t, int op, act_kind kind, size_t n, int threads)
{
    assert_int_equal(act_set_num_threads(1), ACT_OK);
    memset(whole, 0x5a, sizeof whole);
    assert_int_equal(call(t, op, kind, NULL, in, grad, whole, n), ACT_OK);
    assert_int_equal(act_set_num_threads(threads), ACT_OK);
    memset(cut, 0x5a, sizeof cut);
    assert_int_equal(call(t, op, kind, NULL, in, grad, cut, n), ACT_OK);
    assert_memory_equal(whole, cut, sizeof cut);
}

static void results_do_not_depend_on_threads(void **state)
{
    (void)state;
    const size_t sizes[] = {16383, 32767, 32768, 32769, 40960, 65536, 100001, MOST};
    if (act_set_num_threads(2) == ACT_ERR_UNSUPPORTED)
        skip(); /* built without OpenMP */
    FOR_DTYPE(t)
    {
        fill(t);
        for (act_kind kind = 0; kind < act_kind_count(); kind += 3)
            FOR_OP(op) if (offers(kind, op)) check_call(t, op, kind, MOST, 3);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (int threads = 2; threads <= 8; threads += 3)
                check_call(t, FORWARD, ACT_SILU, sizes[i], threads);
    }
    act_set_num_threads(1);
}

static void setters_refuse_what_is_not(void **state)
{
    (void)state;
    const int bad[] = {-1, INT_MIN, INT_MAX, 1025};
    assert_int_equal(act_get_num_threads(), 1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(act_set_num_threads(bad[i]), ACT_ERR_PARAM);
        assert_int_equal(act_get_num_threads(), 1);
    }
    const act_executor empty = {NULL, NULL};
    assert_int_equal(act_set_executor(&empty), ACT_ERR_NULL);
    assert_int_equal(act_set_executor(NULL), ACT_OK);
    if (act_set_num_threads(0) == ACT_OK)
        assert_true(act_get_num_threads() >= 1);
    else
        assert_int_equal(act_set_num_threads(2), ACT_ERR_UNSUPPORTED);
    assert_int_equal(act_set_num_threads(1), ACT_OK);
}

/* An executor that runs each piece in a thread of its own, the last first. */
struct pool {
    size_t calls, pieces;
};
struct piece {
    void (*task)(void *, size_t);
    void *arg;
    size_t i;
};

static void *run_one(void *arg)
{
    const struct piece *p = arg;
    p->task(p->arg, p->i);
    return NULL;
}

static void run_backwards(void *self, void (*task)(void *, size_t), void *arg, size_t count)
{
    struct pool *pool = self;
    struct piece pieces[16];
    pthread_t threads[16];
    assert_in_range(count, 2, 16);
    pool->calls++;
    pool->pieces += count;
    for (size_t i = count; i-- > 0;) {
        pieces[i] = (struct piece){task, arg, i};
        assert_int_equal(pthread_create(&threads[i], NULL, run_one, &pieces[i]), 0);
    }
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static void an_executor_runs_the_pieces(void **state)
{
    (void)state;
    struct pool pool = {0, 0};
    const act_executor executor = {run_backwards, &pool};
    fill(ACT_F32);
    assert_int_equal(act_set_executor(&executor), ACT_OK);
    check_call(ACT_F32, FORWARD, ACT_GELU, MOST, 5);
    assert_int_equal(pool.calls, 1); /* the call in one piece does not ask it */
    assert_int_equal(pool.pieces, 5);
    check_call(ACT_F32, BACKWARD, ACT_GELU, MOST, 5);
    check_call(ACT_F32, FORWARD, ACT_GELU, 32767, 5); /* too small to cut */
    assert_int_equal(pool.calls, 2);
    act_set_num_threads(1);
    assert_int_equal(act_set_executor(NULL), ACT_OK);
}

static void a_forked_child_computes(void **state)
{
    (void)state;
    if (act_set_num_threads(2) == ACT_ERR_UNSUPPORTED)
        skip();
    fill(ACT_F32);
    check_call(ACT_F32, FORWARD, ACT_SILU, MOST, 2); /* the pool exists now */
    const pid_t child = fork();
    if (child == 0) {
        alarm(60); /* OpenMP would wait for threads that are not there */
        memset(cut, 0, sizeof cut);
        const act_status status = act_forward(ACT_SILU, NULL, (float *)in, (float *)cut, MOST);
        _exit(status != ACT_OK || memcmp(whole, cut, MOST * sizeof(float)) != 0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    act_set_num_threads(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setters_refuse_what_is_not),
        cmocka_unit_test(results_do_not_depend_on_threads),
        cmocka_unit_test(an_executor_runs_the_pieces),
        cmocka_unit_test(a_forked_child_computes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
