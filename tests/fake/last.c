/* The one note pad of the fake kernels. */
#include "fake.h"

struct fake_call fake_last;
