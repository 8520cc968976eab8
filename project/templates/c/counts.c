// The actor on a node in memory: its tests need no WebAssembly.
#include "actor.c"
#include "ractor_testing.h"
#include <stdio.h>

int main(void) {
    uint64_t count = 5;
    if (!ractor_test_start(&ractor_type_u64, &count)) return 1;
    ractor_cast(ractor_test_actor(), make_add(2));
    ractor_error error = call_get(ractor_test_actor(), 1000, &count);
    printf("counts from its start argument: %s\n", error.kind == RACTOR_NO_ERROR && count == 7 ? "ok" : "FAILED");
    return error.kind == RACTOR_NO_ERROR && count == 7 ? 0 : 1;
}
