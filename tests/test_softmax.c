/* The softmax family on every ISA of this machine, against the formulas in double (f32 and 16-bit
 * types) and long double (f64): accuracy, special rows, masks, one result wherever a row stands,
 * memory, statuses, gradients. The parts are in tests/softmax.
 * test_softmax [options] [ISA]: -v prints the worst errors, --full takes every combination, where
 * else the larger shapes take each mask, function and size but not each of them together (three
 * times the time); --bits only statuses, special rows, finite differences, the hash and the 16-bit
 * types against f32; --type=f32, f64, bf16 or f16; --table prints that of docs/structured.md. */
#include "softmax/softmax.h"

int main(int argc, char **argv)
{
    const act_isa old = act_get_isa();
    int full = 0, bits = 0, verbose = 0, ran = 0;
    const char *only = NULL, *only_type = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0)
            verbose = 1;
        else if (strcmp(argv[i], "--full") == 0)
            full = 1;
        else if (strcmp(argv[i], "--bits") == 0)
            bits = 1;
        else if (strcmp(argv[i], "--table") == 0)
            return print_table(), 0;
        else if (strncmp(argv[i], "--type=", 7) == 0)
            only_type = argv[i] + 7;
        else
            only = argv[i];
    }
    for (act_isa isa = 0; isa < act_isa_count(); isa++) {
        if (act_set_isa(isa) != ACT_OK || (only && strcmp(only, act_isa_name(isa)) != 0))
            continue;
        ran = 1;
        forget_worst();
        if (isa != ACT_ISA_SCALAR && isa != ACT_ISA_SSE42)
            reproducible();
        seed(1);
        statuses();
        differences();
        for (act_dtype type = ACT_F32; type <= ACT_F16; type++) {
            const int half = type >= ACT_BF16;
            if (only_type && strcmp(only_type, type_names[type]) != 0)
                continue;
            special_rows(type);
            table(type);
            if (type == ACT_F32)
                roundings();
            if (half)
                sixteen_bits(type, full);
            if (bits)
                continue;
            masks(type, full);
            positions(type);
            memory(type);
            if (half)
                memory(type == ACT_BF16 ? ACT_BF16_F32 : ACT_F16_F32);
            shapes(type, full);
            if (!half)
                long_rows(type, type == ACT_F64 || isa == ACT_ISA_SCALAR ? 20000
                                : full                                   ? (size_t)1 << 20
                                                                         : (size_t)1 << 18);
            if (act_set_num_threads(3) == ACT_OK) {
                threads(type);
                act_set_num_threads(1);
            }
            if (verbose)
                print_worst(type);
        }
    }
    act_set_isa(old);
    if (failures)
        printf("%d failures\n", failures);
    else if (!ran)
        printf("skipped: %s is not usable here\n", only);
    return failures != 0 ? 1 : ran ? 0 : 77;
}
