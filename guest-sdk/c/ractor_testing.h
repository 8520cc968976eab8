// Tests of an actor without WebAssembly: compile your actor, your test with its `main`, and ractor_testing.c in place of ractor.c, with any
// C compiler.
//
//     #include "counter.c"
//     #include "ractor_testing.h"
//
//     int main(void) {
//         uint64_t n = 5;
//         assert(ractor_test_start(&ractor_type_u64, &n));
//         ractor_cast(ractor_test_actor(), make_add(2));
//         assert(call_get(ractor_test_actor(), 1000, &n).kind == RACTOR_NO_ERROR && n == 7);
//     }
//
// The node here has the actor and what you say there is. It writes down, line by line, what the actor asks it to do. Time goes on by
// `ractor_test_advance` alone. What a function hands out stays valid until the next one that lets the actor do something.
#ifndef RACTOR_TESTING_H
#define RACTOR_TESTING_H

#include "ractor.h"

#ifdef __cplusplus
extern "C" {
#endif

// A node as new, and the actor on it from its start: false if it failed.
bool ractor_test_start(const ractor_type *type, const void *argument);
// Whether the actor lives, and why not: a text, or "stopped", "exit: …", or empty.
bool ractor_test_is_alive(void);
const char *ractor_test_failure(void);

// The actor, for `ractor_cast`, `call_…` and so on. What you send is handled at once, or once no handler is pending. A call that is
// answered later gives RACTOR_TIMEOUT here: see `ractor_test_call`.
ractor_pid ractor_test_actor(void);
// Another actor, which `ractor_where_is` finds from now on.
ractor_pid ractor_test_other(const char *name);
// What other actors reply to calls with this tag, from now on: a value, or an error of RACTOR_TIMEOUT, RACTOR_FAILED_CALL and so on. They
// give no reply to anything else.
void ractor_test_answer(const char *tag, const ractor_type *type, const void *value);
void ractor_test_answer_error(const char *tag, ractor_error_kind kind, const char *reason);
// Who is in a group, besides the actor if it joined.
void ractor_test_join(const char *group, ractor_pid member);
void ractor_test_configure(const char *key, const char *value);

// Calls the actor, and what became of that: RACTOR_TIMEOUT as long as there is no reply.
ractor_open_call ractor_test_call(ractor_sendable message);
ractor_error ractor_test_reply(ractor_open_call call, const ractor_type *type, void *reply);
// Casts several messages to the actor at once, as a node does when they wait.
void ractor_test_cast_all(const ractor_sendable *messages, size_t count);
// Lets time pass, and happen what is due.
void ractor_test_advance(uint64_t ms);
void ractor_test_event(ractor_event event);
// A snapshot, and a fresh actor that it is restored to. False if one of them failed.
bool ractor_test_reload(void);
// Restores a state to some fields. Gives what is wrong with it, or NULL.
const char *ractor_test_restore(void *self, const ractor_field *fields, size_t count, ractor_bytes state);

// What the actor asked its node to do, one line each: `join counters`, `cast printer Add 0000…`, `log warn …`, `ask printer Get 0000…`,
// `after 50 self Mark 0000…`, `stop …`; and whether one of them has this text.
const char *ractor_test_log(void);
bool ractor_test_saw(const char *text);

#ifdef __cplusplus
}
#endif

#endif
