// What the tests in this folder have in common.
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>

static int checked, wrong;

#define CHECK(condition) \
    do { \
        checked++; \
        if (!(condition)) { \
            wrong++; \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
        } \
    } while (0)

static inline int summary(const char *what) {
    printf("%s: %d checks, %d failed\n", what, checked, wrong);
    return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
