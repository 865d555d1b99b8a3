/* test_load LIBACTFN LOAD_USER: dlopen, use and dlclose, many times; use from another library's
 * constructor; a second copy in the process; the FP control word is nobody's but the caller's. Not
 * linked with libactfn. */
#define _GNU_SOURCE
#include "actfn/actfn.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__x86_64__)
#include <immintrin.h>
enum {
    CONTROL = 0xffc0,
    FLUSH = 0x8040,
    UPWARD = 0x4000
}; /* the rest are sticky exception flags */
static uint64_t get_control(void)
{
    return _mm_getcsr() & CONTROL;
}
static void set_control(uint64_t word)
{
    _mm_setcsr((unsigned)word);
}
#elif defined(__aarch64__)
enum { FLUSH = 1 << 24, UPWARD = 1 << 22 };
static uint64_t get_control(void)
{
    uint64_t word;
    __asm__ volatile("mrs %0, fpcr" : "=r"(word));
    return word;
}
static void set_control(uint64_t word)
{
    __asm__ volatile("msr fpcr, %0" ::"r"(word));
}
#endif

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: %s fails; %s\n", __FILE__, __LINE__, #condition, dlerror());            \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* Objects and functions have the same representation on every system with dlsym. */
static union {
    void *object;
    act_status (*forward)(act_kind, const act_params *, const float *, float *, size_t);
    act_status (*backward)(act_kind, const act_params *, const float *, const float *, float *,
                           size_t);
    act_status (*set_isa)(act_isa);
    act_isa (*get_isa)(void);
    int (*count)(void);
} forward, backward, set_isa, get_isa, kinds, isas;

static void open_use_close(const char *path, uint64_t control)
{
    float x[67], y[67];
    for (int i = 0; i < 67; i++)
        x[i] = (float)(i - 33);
    set_control(control);
    void *const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CHECK(library);
    CHECK(get_control() == control);
    CHECK((forward.object = dlsym(library, "act_forward")));
    CHECK((backward.object = dlsym(library, "act_backward")));
    CHECK((set_isa.object = dlsym(library, "act_set_isa")));
    CHECK((kinds.object = dlsym(library, "act_kind_count")));
    CHECK((isas.object = dlsym(library, "act_isa_count")));
    for (act_isa isa = 0; isa < isas.count(); isa++) {
        set_isa.set_isa(isa);
        for (act_kind kind = 0; kind < kinds.count(); kind++) {
            CHECK(forward.forward(kind, NULL, x, y, 67) == ACT_OK);
            CHECK(get_control() == control);
            CHECK(backward.backward(kind, NULL, x, x, y, 67) == ACT_OK);
            CHECK(get_control() == control);
        }
    }
    CHECK(forward.forward(ACT_RELU, NULL, x, y, 67) == ACT_OK);
    CHECK(y[0] == 0 && y[66] == 33);
    CHECK(dlclose(library) == 0);
    CHECK(get_control() == control);
}

static void copy_file(const char *from, const char *to)
{
    static char bytes[1 << 16];
    FILE *const in = fopen(from, "rb"), *const out = fopen(to, "wb");
    CHECK(in && out);
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, in)) > 0;)
        CHECK(fwrite(bytes, 1, n, out) == n);
    CHECK(fclose(in) == 0 && fclose(out) == 0);
}

/* A program's library and, say, a Python package's: each calls itself, not the one whose symbols
 * are found first, and has its own ISA. */
static void two_copies(const char *path)
{
    char copy[4096];
    CHECK(snprintf(copy, sizeof copy, "%s.copy", path) < (int)sizeof copy);
    copy_file(path, copy);
    void *const first = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    CHECK(first);
    CHECK((set_isa.object = dlsym(first, "act_set_isa")));
    CHECK((get_isa.object = dlsym(first, "act_get_isa")));
    CHECK((isas.object = dlsym(first, "act_isa_count")));
    act_isa best = ACT_ISA_SCALAR;
    for (act_isa isa = 0; isa < isas.count(); isa++)
        if (set_isa.set_isa(isa) == ACT_OK)
            best = isa;
    CHECK(set_isa.set_isa(ACT_ISA_SCALAR) == ACT_OK);
    void *const second = dlopen(copy, RTLD_NOW | RTLD_LOCAL);
    CHECK(second && second != first);
    CHECK(get_isa.get_isa() == ACT_ISA_SCALAR);
    CHECK((get_isa.object = dlsym(second, "act_get_isa")));
    CHECK(getenv("ACTFN_ISA") || get_isa.get_isa() == best);
    CHECK(dlclose(second) == 0 && dlclose(first) == 0);
    CHECK(remove(copy) == 0);
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    const uint64_t normal = get_control();
    for (int i = 0; i < 50; i++)
        open_use_close(argv[1], normal);
    /* The cycles were real; or it stays, as OpenMP's threads may be asleep in it. */
    CHECK(!dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD) == !KEPT_LOADED);
    open_use_close(argv[1], normal | FLUSH);
    open_use_close(argv[1], normal | UPWARD);
    set_control(normal);

    void *const user = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
    CHECK(user);
    CHECK(get_control() == normal);
    const float *const result = dlsym(user, "load_user_result");
    CHECK(result);
    CHECK(result[0] == 0 && result[1] == 0 && result[2] == 2 && result[3] == 3);
    CHECK(dlclose(user) == 0);
    two_copies(argv[1]);
    return 0;
}
