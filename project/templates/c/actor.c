// An actor that counts.
#include "ractor.h"

typedef struct { uint64_t count; } {{Type}};
#define STATE(FIELD) FIELD(u64, count)
#define MESSAGES(CAST, CALL) CAST(add, (u64, number)) CALL(get, u64)
RACTOR_ACTOR({{Type}}, (u64, start), MESSAGES, STATE)

static ractor_status pre_start({{Type}} *self, uint64_t start) { self->count = start; return RACTOR_OK; }
static ractor_status on_add({{Type}} *self, uint64_t number) { self->count += number; return RACTOR_OK; }
static ractor_status on_get({{Type}} *self, uint64_t *reply) { *reply = self->count; return RACTOR_OK; }
