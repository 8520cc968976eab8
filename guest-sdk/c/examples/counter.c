#include "ractor.h"

typedef struct { uint64_t count; } Counter;
#define STATE(FIELD) FIELD(u64, count)
#define MESSAGES(CAST, CALL)                         \
    CAST(add, "Adds to the count.", (u64, n))        \
    CALL(get, u64)
RACTOR_ACTOR(Counter, (u64, start), MESSAGES, STATE)

static ractor_status pre_start(Counter *self, uint64_t start) { self->count = start; return RACTOR_OK; }
static ractor_status on_add(Counter *self, uint64_t n) { self->count += n; return RACTOR_OK; }
static ractor_status on_get(Counter *self, uint64_t *reply) { *reply = self->count; return RACTOR_OK; }
