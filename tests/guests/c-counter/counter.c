// A counter in C, with the SDK in guest-sdk/c. It understands the messages of examples/counter, byte for byte, so whoever talks to it
// can't tell the two apart. README.md in the folder above says how it is built.

#include "ractor.h"

// How long another member of a group may take to answer.
#define PATIENCE_MS 1000

typedef struct { uint64_t count; } Counter;

#define STATE(FIELD) FIELD(u64, count)
#define MESSAGES(CAST, CALL) \
    CAST(add, "Counts up by a number.", (u64, n)) \
    CALL(get, u64, "Replies with the count.") \
    CALL(add_and_get, u64, "Counts up by a number and replies with the new count.", (u64, n)) \
    CALL(sum_of, u64, "Replies with the sum of the counts of every other member of a process group.", (string, group)) \
    CAST(add_to, "Makes every other member of a process group count up by a number.", (string, group), (u64, n)) \
    CALL(name, string, "Replies with the name of this actor, or with nothing if it has none.") \
    CAST(crash, "Fails with the text as the reason.", (string, reason))

RACTOR_ACTOR(Counter, (u64, start), MESSAGES, STATE, .documentation = "Counts up from its start argument.")

static uint64_t sum(uint64_t one, uint64_t other) { return one > UINT64_MAX - other ? UINT64_MAX : one + other; }

static ractor_status pre_start(Counter *self, uint64_t start) {
    self->count = start;
    return RACTOR_OK;
}

static ractor_status on_add(Counter *self, uint64_t n) {
    self->count = sum(self->count, n);
    return RACTOR_OK;
}

static ractor_status on_get(Counter *self, uint64_t *reply) {
    *reply = self->count;
    return RACTOR_OK;
}

static ractor_status on_add_and_get(Counter *self, uint64_t n, uint64_t *reply) {
    on_add(self, n);
    return on_get(self, reply);
}

static ractor_status on_sum_of(Counter *self, ractor_str group, uint64_t *reply) {
    (void)self;
    ractor_pids members = ractor_members(group);
    for (size_t i = 0; i < members.count; i++) {
        uint64_t count;
        if (ractor_same(members.items[i], ractor_self())) continue;
        ractor_error error = call_get(members.items[i], PATIENCE_MS, &count);
        if (error.kind != RACTOR_NO_ERROR) return ractor_fail_with("a member did not answer", error);
        *reply = sum(*reply, count);
    }
    return RACTOR_OK;
}

static ractor_status on_add_to(Counter *self, ractor_str group, uint64_t n) {
    (void)self;
    ractor_pids members = ractor_members(group);
    for (size_t i = 0; i < members.count; i++) {
        if (ractor_same(members.items[i], ractor_self())) continue;
        ractor_error error = ractor_cast(members.items[i], make_add(n));
        if (error.kind != RACTOR_NO_ERROR) ractor_log(RACTOR_WARN, "not added: %.*s", RACTOR_PRINT(ractor_error_text(error)));
    }
    return RACTOR_OK;
}

static ractor_status on_name(Counter *self, ractor_str *reply) {
    (void)self;
    ractor_self_name(reply);
    return RACTOR_OK;
}

static ractor_status on_crash(Counter *self, ractor_str reason) {
    (void)self;
    return ractor_fail("%.*s", RACTOR_PRINT(reason));
}
