// The counter of the documentation, tested without WebAssembly.

#include "../examples/counter.c"

#include "ractor_testing.h"

#include "check.h"

int main(void) {
    uint64_t n = 5;
    CHECK(ractor_test_start(&ractor_type_u64, &n));
    ractor_cast(ractor_test_actor(), make_add(2));
    CHECK(call_get(ractor_test_actor(), 1000, &n).kind == RACTOR_NO_ERROR && n == 7);
    CHECK(ractor_test_reload());
    CHECK(call_get(ractor_test_actor(), 1000, &n).kind == RACTOR_NO_ERROR && n == 7);
    return summary("counter");
}
