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

/* The product of a shape: "(2, 3)", "(6,)" or "()", for which it is 1. */
static size_t elements_of(const char *path, const char *shape)
{
    size_t count = 1;
    if (*shape++ != '(')
        die("%s: no shape in the .npy header", path);
    for (;;) {
        shape += strspn(shape, " ");
        if (*shape == ')')
            return count;
        if (!isdigit((unsigned char)*shape))
            die("%s: the shape in the .npy header is malformed", path);
        char *end;
        errno = 0;
        const unsigned long long size = strtoull(shape, &end, 10);
        if (errno || (size != 0 && count > SIZE_MAX / 8 / size))
            die("%s: the shape is too large", path);
        count *= (size_t)size;
        shape = end + strspn(end, "L "); /* 2L: what Python 2 wrote */
        if (*shape == ',')
            shape++;
        else if (*shape != ')')
            die("%s: the shape in the .npy header is malformed", path);
    }
}

static size_t get(FILE *f, const char *path, void *to, size_t bytes)
{
    const size_t got = fread(to, 1, bytes, f);
    if (ferror(f))
        die("%s: %s", path, strerror(errno));
    return got;
}

/* As many elements as are there: the header is believed only when the data has been read. */
static float *read_elements(FILE *f, const char *path, size_t count)
{
    float *x = NULL;
    for (size_t room = 1 << 18, have = 0; have < count; room *= 2) {
        room = room < count ? room : count;
        x = realloc(x, room * sizeof *x);
        if (!x)
            die("%s: no memory for %zu elements", path, room);
        if (get(f, path, x + have, (room - have) * sizeof *x) != (room - have) * sizeof *x)
            die("%s: truncated: fewer than %zu elements", path, count);
        have = room;
    }
    return x;
}

float *npy_read(const char *path, size_t *count)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        die("%s: %s", path, strerror(errno));
    unsigned char head[12];
    if (get(f, path, head, 10) != 10 || memcmp(head, "\x93NUMPY", 6) != 0)
        die("%s: not a .npy file", path);
    size_t length = head[8] | (size_t)head[9] << 8;
    if (head[6] == 2 || head[6] == 3) {
        if (get(f, path, head + 10, 2) != 2)
            die("%s: truncated", path);
        length |= (size_t)head[10] << 16 | (size_t)head[11] << 24;
    } else if (head[6] != 1) {
        die("%s: .npy version %d is not supported", path, head[6]);
    }
    if (length > 1 << 20)
        die("%s: the .npy header is too long", path);
    char *header = allocate(length + 1);
    if (get(f, path, header, length) != length)
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
    float *x = read_elements(f, path, *count);
    fclose(f);
    free(header);
    return x;
}
