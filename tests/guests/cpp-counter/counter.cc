// A counter in C++, with the SDK for C: a class keeps the state, and the handlers are functions of C.

#include "ractor.h"

namespace {

class Counter {
public:
    uint64_t count = 0;

    // At the largest number it stays where it is.
    void add(uint64_t n) { count = n > UINT64_MAX - count ? UINT64_MAX : count + n; }
};

#define STATE(FIELD) FIELD(u64, count)
#define MESSAGES(CAST, CALL) \
    CAST(add, "Counts up by a number.", (u64, n)) \
    CALL(get, u64, "Replies with the count.") \
    CALL(name, string, "Replies with the name of this actor, or with nothing if it has none.") \
    CAST(crash, "Fails with the text as the reason.", (string, reason))

RACTOR_ACTOR(Counter, (u64, start), MESSAGES, STATE, .version = "1.0.0", .documentation = "Counts up from its start argument.")

ractor_status pre_start(Counter *self, uint64_t start) {
    self->count = start;
    return RACTOR_OK;
}

ractor_status on_add(Counter *self, uint64_t n) {
    self->add(n);
    return RACTOR_OK;
}

ractor_status on_get(Counter *self, uint64_t *reply) {
    *reply = self->count;
    return RACTOR_OK;
}

ractor_status on_name(Counter *, ractor_str *reply) {
    ractor_self_name(reply);
    return RACTOR_OK;
}

ractor_status on_crash(Counter *, ractor_str reason) { return ractor_fail("%.*s", RACTOR_PRINT(reason)); }

} // namespace
