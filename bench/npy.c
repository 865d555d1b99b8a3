/* NumPy's .npy, as far as act-bench needs it: an array of little-endian f32 of any shape. */
#include "bench/bench.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The text after 'key': in the header's dictionary; NULL without it. */
static const char *value_of(const char *header, const char *key)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "'%s'", key);
    const char *at = strstr(header, quoted);
    if (!at)
        return NULL;
    at += strlen(quoted);
    while (isspace((unsigned char)*at) || *at == ':')
        at++;
    return at;
}

/* The product of a shape "(2, 3)"; 1 for "()". Dies on overflow. */
static size_t elements_of(const char *path, const char *shape)
{
    size_t count = 1;
    if (*shape++ != '(')
        die("%s: no shape in the .npy header", path);
    while (*shape && *shape != ')') {
        char *end;
        if (!isdigit((unsigned char)*shape)) {
            shape++;
            continue;
        }
        const unsigned long long size = strtoull(shape, &end, 10);
        if (size != 0 && count > SIZE_MAX / 8 / size)
            die("%s: the shape is too large", path);
        count *= (size_t)size;
        shape = end;
    }
    return count;
}

float *npy_read(const char *path, size_t *count)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        die("%s: %s", path, strerror(errno));
    unsigned char head[12];
    if (fread(head, 1, 10, f) != 10 || memcmp(head, "\x93NUMPY", 6) != 0)
        die("%s: not a .npy file", path);
    size_t length = head[8] | (size_t)head[9] << 8;
    if (head[6] == 2 || head[6] == 3) {
        if (fread(head + 10, 1, 2, f) != 2)
            die("%s: truncated", path);
        length |= (size_t)head[10] << 16 | (size_t)head[11] << 24;
    } else if (head[6] != 1) {
        die("%s: .npy version %d is not supported", path, head[6]);
    }
    if (length > 1 << 20)
        die("%s: the .npy header is too long", path);
    char *header = allocate(length + 1);
    if (fread(header, 1, length, f) != length)
        die("%s: truncated", path);
    header[length] = '\0';

    const char *descr = value_of(header, "descr"), *shape = value_of(header, "shape");
    if (!descr || !shape)
        die("%s: no type or shape in the .npy header", path);
    if (strncmp(descr, "'<f4'", 5) != 0)
        die("%s: the elements are %.*s, not '<f4' (f32)", path, (int)strcspn(descr, ",}"), descr);
    *count = elements_of(path, shape);
    if (*count == 0)
        die("%s: the tensor is empty", path);
    float *x = allocate(*count * sizeof *x);
    if (fread(x, sizeof *x, *count, f) != *count)
        die("%s: truncated: fewer than %zu elements", path, *count);
    fclose(f);
    free(header);
    return x;
}
