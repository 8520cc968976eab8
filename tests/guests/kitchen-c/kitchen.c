// An actor that uses all of its SDK: the kitchen, in C. What its messages do is the same in every language.

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ractor.h"

#include "messages.h"

#define PATIENCE_MS 10000
#define FAIL_LATER_MS 10
#define CANCEL_MS 20
#define STEP_MS 30

RACTOR_PROTOBUF(proto_order, "kitchen.Order")
RACTOR_JSON(json_order, "Order")

typedef struct Kitchen {
    uint64_t count;
    ractor_str note;
    ractor_i128 big;
    ractor_list_u64 marks;
    // The rest isn't in a snapshot.
    ractor_str program, events;
    ractor_list_u64 kept, timers;
} Kitchen;

static const ractor_schema SCHEMAS[] = {{"Order", "json-schema",
    {(const uint8_t *)"{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\"},\"quantity\":{\"type\":\"integer\"},"
                      "\"items\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}", 126}}};

static ractor_status post_start(Kitchen *self);
static ractor_status post_stop(Kitchen *self);
static ractor_status on_event(Kitchen *self, const ractor_event *event);

RACTOR_ACTOR(Kitchen, (string, program), MESSAGES, STATE,
    .version = "1.0.0", .state_version = 1, .documentation = "An actor that uses all of its SDK.",
    .schemas = SCHEMAS, .schema_count = 1, .post_start = post_start, .post_stop = post_stop, .on_event = on_event)

// What a handler goes on with. It is freed by whoever uses it last.
typedef struct Rest {
    Kitchen *self;
    ractor_open_call call;
    uint64_t number;
    uint32_t left;
    ractor_token token;
    ractor_str text;
} Rest;

static Rest *rest_of(Kitchen *self) {
    Rest *rest = (Rest *)calloc(1, sizeof *rest);
    if (rest == NULL) abort();
    rest->self = self;
    rest->call = ractor_this_call();
    return rest;
}

static void done(Rest *rest) {
    free((void *)rest->text.ptr);
    free(rest);
}

static void add_event(Kitchen *self, ractor_str event) {
    const char *separator = self->events.len == 0 ? "" : ";";
    ractor_keep_str(&self->events, ractor_format("%.*s%s%.*s", RACTOR_PRINT(self->events), separator, RACTOR_PRINT(event)));
}

static ractor_str told(ractor_error error) {
    if (error.reason.len == 0) return ractor_format("error:%.*s", RACTOR_PRINT(ractor_error_word(error)));
    return ractor_format("error:%.*s:%.*s", RACTOR_PRINT(ractor_error_word(error)), RACTOR_PRINT(error.reason));
}

// ---- Life ----

static ractor_status pre_start(Kitchen *self, ractor_str program) {
    if (program.len >= 5 && memcmp(program.ptr, "fail:", 5) == 0) return ractor_fail("%.*s", (int)program.len - 5, program.ptr + 5);
    if (ractor_equal(program, "panic")) abort();
    ractor_keep_str(&self->program, program);
    if (program.len < 5 || memcmp(program.ptr, "fail-", 5) != 0) ractor_keep_str(&self->note, program);
    return RACTOR_OK;
}

static ractor_status post_start(Kitchen *self) {
    return ractor_equal(self->program, "fail-post") ? ractor_fail("post_start fails") : RACTOR_OK;
}

static ractor_status post_stop(Kitchen *self) {
    return ractor_equal(self->program, "fail-stop") ? ractor_fail("post_stop fails") : RACTOR_OK;
}

static ractor_status on_event(Kitchen *self, const ractor_event *event) {
    ractor_str nobody = RACTOR_STR("?"), nothing = RACTOR_STR("");
    ractor_str name = event->name == NULL ? nobody : *event->name, reason = event->reason == NULL ? nothing : *event->reason;
    if (ractor_equal(self->program, "fail-event")) return ractor_fail("on_event fails");
    switch (event->kind) {
    case RACTOR_STARTED:
        add_event(self, ractor_format("started:%.*s", RACTOR_PRINT(name)));
        break;
    case RACTOR_TERMINATED:
        add_event(self, ractor_format("terminated:%.*s:%.*s", RACTOR_PRINT(name), RACTOR_PRINT(reason)));
        break;
    case RACTOR_ACTOR_FAILED:
        add_event(self, ractor_format("failed:%.*s:%.*s", RACTOR_PRINT(name), RACTOR_PRINT(reason)));
        break;
    case RACTOR_GROUP_CHANGED:
        add_event(self, ractor_format("group:%.*s:%s:%zu", RACTOR_PRINT(event->group), event->joined ? "joined" : "left", event->actors.count));
        break;
    }
    return RACTOR_OK;
}

// ---- Casts ----

static ractor_status on_add(Kitchen *self, uint64_t n) {
    self->count += n;
    return RACTOR_OK;
}

static ractor_status on_add_big(Kitchen *self, ractor_i128 n) {
    self->big += n;
    return RACTOR_OK;
}

static ractor_status on_mark(Kitchen *self, uint64_t n) {
    RACTOR_PUSH(u64, &self->marks, n);
    return RACTOR_OK;
}

static ractor_status on_set_note(Kitchen *self, ractor_str text) {
    ractor_keep_str(&self->note, text);
    return RACTOR_OK;
}

static ractor_status on_throw_cast(Kitchen *self, ractor_str text) {
    (void)self;
    return ractor_fail("%.*s", RACTOR_PRINT(text));
}

static ractor_status on_trap(Kitchen *self) {
    (void)self;
    abort();
}

static ractor_status on_log(Kitchen *self, ractor_str level, ractor_str text) {
    (void)self;
    static const char *const LEVELS[] = {"trace", "debug", "info", "warn", "error"};
    for (int i = RACTOR_TRACE; i <= RACTOR_ERROR; i++)
        if (ractor_equal(level, LEVELS[i])) ractor_log((ractor_level)i, "%.*s", RACTOR_PRINT(text));
    return RACTOR_OK;
}

static ractor_status on_print(Kitchen *self, ractor_str text) {
    (void)self;
    printf("%.*s\n", RACTOR_PRINT(text));
    fflush(stdout);
    return RACTOR_OK;
}

static ractor_status on_after(Kitchen *self, uint64_t ms, uint64_t n) {
    (void)self;
    ractor_error error = ractor_send_after(ractor_self(), make_mark(n), ms, NULL);
    return error.kind == RACTOR_NO_ERROR ? RACTOR_OK : ractor_fail_with("no timer", error);
}

static ractor_status on_every(Kitchen *self, uint64_t ms, uint64_t n) {
    ractor_token timer;
    ractor_error error = ractor_send_interval(ractor_self(), make_mark(n), ms, &timer);
    if (error.kind != RACTOR_NO_ERROR) return ractor_fail_with("no timer", error);
    RACTOR_PUSH(u64, &self->timers, timer);
    return RACTOR_OK;
}

static ractor_status on_cancel_timers(Kitchen *self) {
    for (size_t i = 0; i < self->timers.count; i++) ractor_cancel_timer(self->timers.items[i]);
    self->timers.count = 0;
    return RACTOR_OK;
}

static ractor_status on_join(Kitchen *self, ractor_str group) {
    (void)self;
    ractor_join(group);
    return RACTOR_OK;
}

static ractor_status on_leave(Kitchen *self, ractor_str group) {
    (void)self;
    ractor_leave(group);
    return RACTOR_OK;
}

static ractor_status on_monitor_group(Kitchen *self, ractor_str group) {
    (void)self;
    ractor_monitor_group(group);
    return RACTOR_OK;
}

static ractor_status on_monitor_actor(Kitchen *self, ractor_str name) {
    ractor_pid other;
    if (!ractor_where_is(name, &other)) return on_set_note(self, RACTOR_STR("error:not-found"));
    ractor_error error = ractor_monitor(other);
    return error.kind == RACTOR_NO_ERROR ? RACTOR_OK : on_set_note(self, told(error));
}

static ractor_status on_stop_self(Kitchen *self, ractor_str reason) {
    (void)self;
    ractor_stop(reason);
    return RACTOR_OK;
}

static ractor_status on_exit_now(Kitchen *self, ractor_str reason) {
    (void)self;
    ractor_exit(reason);
}

static ractor_status on_cast_other(Kitchen *self, ractor_str name, uint64_t n) {
    ractor_pid other;
    if (!ractor_where_is(name, &other)) return on_set_note(self, RACTOR_STR("error:not-found"));
    ractor_error error = ractor_cast(other, make_add(n));
    return error.kind == RACTOR_NO_ERROR ? RACTOR_OK : on_set_note(self, told(error));
}

static ractor_status on_forget(Kitchen *self, ractor_str name) {
    (void)self;
    ractor_pid other;
    if (ractor_where_is(name, &other)) ractor_demonitor(other);
    return RACTOR_OK;
}

static ractor_status on_release(Kitchen *self, ractor_str text) {
    for (size_t i = 0; i < self->kept.count; i++) reply_keep(self->kept.items[i], text);
    self->kept.count = 0;
    return RACTOR_OK;
}

// ---- Echoes ----

#define ECHO(T) \
    static ractor_status on_echo_##T(Kitchen *self, ractor_c_##T value, ractor_c_##T *reply) { \
        (void)self; \
        *reply = value; \
        return RACTOR_OK; \
    }
ECHO(u8) ECHO(u16) ECHO(u32) ECHO(u64) ECHO(u128) ECHO(i8) ECHO(i16) ECHO(i32) ECHO(i64) ECHO(i128) ECHO(f32) ECHO(f64) ECHO(char)
ECHO(string) ECHO(bytes) ECHO(list_u16) ECHO(list_u64) ECHO(list_i64) ECHO(list_i128) ECHO(list_f32) ECHO(list_f64) ECHO(list_bool)
ECHO(list_char)

static ractor_status on_echo_bool(Kitchen *self, bool value, bool *reply) {
    (void)self;
    *reply = value;
    return RACTOR_OK;
}

static bool varint(ractor_bytes *from, uint64_t *value) {
    *value = 0;
    for (unsigned shift = 0; from->len > 0 && shift < 64; shift += 7) {
        uint8_t byte = *from->ptr++;
        from->len--;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

// The message is small enough to be read by hand: strings and bytes have their length in front, and `quantity` is field 2.
static ractor_status on_echo_proto(Kitchen *self, ractor_bytes value, ractor_bytes *reply) {
    (void)self;
    uint8_t *made = (uint8_t *)ractor_alloc(value.len + 11);
    size_t len = 0;
    uint64_t key, number, quantity = 0;
    for (ractor_bytes rest = value; rest.len > 0;) {
        const uint8_t *field = rest.ptr;
        if (!varint(&rest, &key) || !varint(&rest, &number)) return ractor_fail("no kitchen.Order");
        if (key == 0x10) {
            quantity = number;
            continue;
        }
        if ((key & 7) != 2 || number > rest.len) return ractor_fail("no kitchen.Order");
        rest.ptr += number;
        rest.len -= (size_t)number;
        memcpy(made + len, field, (size_t)(rest.ptr - field));
        len += (size_t)(rest.ptr - field);
    }
    quantity++;
    made[len++] = 0x10;
    for (; quantity >= 0x80; quantity >>= 7) made[len++] = (uint8_t)(quantity | 0x80);
    made[len++] = (uint8_t)quantity;
    *reply = (ractor_bytes){made, len};
    return RACTOR_OK;
}

// Behind the string that begins at `at`.
static size_t end_of_string(ractor_str json, size_t at) {
    for (at++; at < json.len && json.ptr[at] != '"'; at++)
        if (json.ptr[at] == '\\') at++;
    return at < json.len ? at + 1 : json.len;
}

static ractor_status on_echo_json(Kitchen *self, ractor_str value, ractor_str *reply) {
    (void)self;
    for (size_t at = 0; at < value.len;) {
        if (value.ptr[at] != '"') {
            at++;
            continue;
        }
        ractor_str text = {value.ptr + at, end_of_string(value, at) - at};
        at += text.len;
        if (!ractor_equal(text, "\"quantity\"")) continue;
        while (at < value.len && (value.ptr[at] == ':' || value.ptr[at] == ' ')) at++;
        char *end;
        unsigned long long quantity = strtoull(ractor_cstr((ractor_str){value.ptr + at, value.len - at}), &end, 10);
        size_t behind = at;
        while (behind < value.len && value.ptr[behind] >= '0' && value.ptr[behind] <= '9') behind++;
        if (behind == at) break;
        *reply = ractor_format("%.*s%llu%.*s", (int)at, value.ptr, quantity + 1, (int)(value.len - behind), value.ptr + behind);
        return RACTOR_OK;
    }
    return ractor_fail("no Order");
}

// ---- Calls ----

static ractor_status on_two(Kitchen *self, uint64_t number, ractor_str text, ractor_str *reply) {
    (void)self;
    *reply = ractor_format("%llu:%.*s", (unsigned long long)number, RACTOR_PRINT(text));
    return RACTOR_OK;
}

static ractor_status on_nothing(Kitchen *self) {
    (void)self;
    return RACTOR_OK;
}

static ractor_status on_get(Kitchen *self, uint64_t *reply) {
    *reply = self->count;
    return RACTOR_OK;
}

static ractor_status on_get_big(Kitchen *self, ractor_i128 *reply) {
    *reply = self->big;
    return RACTOR_OK;
}

static ractor_status on_get_marks(Kitchen *self, ractor_list_u64 *reply) {
    *reply = self->marks;
    return RACTOR_OK;
}

static ractor_status on_get_note(Kitchen *self, ractor_str *reply) {
    *reply = self->note;
    return RACTOR_OK;
}

static ractor_status reply_text(void *context) {
    Rest *rest = (Rest *)context;
    reply_later(rest->call, rest->text);
    done(rest);
    return RACTOR_OK;
}

static ractor_status on_later(Kitchen *self, uint64_t ms, ractor_str text, ractor_str *reply) {
    (void)reply;
    Rest *rest = rest_of(self);
    ractor_keep_str(&rest->text, text);
    ractor_error error = ractor_wake_after(ms, reply_text, rest, NULL);
    // The mailbox stays open, because this handler is done.
    return error.kind == RACTOR_NO_ERROR ? RACTOR_LATER : ractor_fail_with("no timer", error);
}

static ractor_status on_keep(Kitchen *self, ractor_str *reply) {
    (void)reply;
    RACTOR_PUSH(u64, &self->kept, ractor_this_call());
    return RACTOR_LATER;
}

static ractor_status on_drop_it(Kitchen *self, ractor_str *reply) {
    (void)self, (void)reply;
    ractor_drop_call(ractor_this_call());
    return RACTOR_LATER;
}

static ractor_status on_fail_it(Kitchen *self, ractor_str text, ractor_str *reply) {
    (void)self, (void)reply;
    return ractor_fail("%.*s", RACTOR_PRINT(text));
}

static ractor_status fail_with_text(void *context) {
    Rest *rest = (Rest *)context;
    ractor_fail_call(rest->call, "%.*s", RACTOR_PRINT(rest->text));
    done(rest);
    return RACTOR_OK;
}

static ractor_status on_fail_later(Kitchen *self, ractor_str text, ractor_str *reply) {
    (void)reply;
    Rest *rest = rest_of(self);
    ractor_keep_str(&rest->text, text);
    ractor_error error = ractor_wake_after(FAIL_LATER_MS, fail_with_text, rest, NULL);
    return error.kind == RACTOR_NO_ERROR ? RACTOR_LATER : ractor_fail_with("no timer", error);
}

// C has no exceptions: an error that is returned is what escapes from a handler.
static ractor_status on_throw(Kitchen *self, ractor_str text, ractor_str *reply) { return on_fail_it(self, text, reply); }

static ractor_status on_trap_call(Kitchen *self, ractor_str *reply) {
    (void)self, (void)reply;
    abort();
}

static uint32_t recurse(uint32_t depth, uint32_t at) {
    // Something to come back to, so that the calls stay calls.
    volatile uint32_t here = at;
    if (depth != UINT32_MAX && here == depth) return here;
    return recurse(depth, here + 1) + (here - at);
}

static ractor_status on_recurse(Kitchen *self, uint32_t depth, uint32_t *reply) {
    (void)self;
    *reply = recurse(depth, 0);
    return RACTOR_OK;
}

static ractor_status on_allocate(Kitchen *self, uint64_t bytes, uint64_t *reply) {
    (void)self;
    volatile uint8_t *memory = bytes > SIZE_MAX ? NULL : (volatile uint8_t *)malloc((size_t)bytes);
    if (memory == NULL) return ractor_fail("no memory for %llu bytes", (unsigned long long)bytes);
    for (uint64_t i = 0; i < bytes; i += 4096) memory[i] = 1;
    free((void *)memory);
    *reply = bytes;
    return RACTOR_OK;
}

static ractor_str number_or_error(ractor_error error, uint64_t number) {
    return error.kind == RACTOR_NO_ERROR ? ractor_format("ok:%llu", (unsigned long long)number) : told(error);
}

static ractor_str text_or_error(ractor_error error, ractor_str text) {
    return error.kind == RACTOR_NO_ERROR ? ractor_format("ok:%.*s", RACTOR_PRINT(text)) : told(error);
}

static ractor_status on_call_other(Kitchen *self, ractor_str name, ractor_str what, uint64_t ms, ractor_str *reply) {
    (void)self;
    ractor_pid other;
    ractor_str text = RACTOR_STR("");
    uint64_t number = 0;
    if (!ractor_where_is(name, &other)) *reply = RACTOR_STR("error:not-found");
    else if (ractor_equal(what, "get")) *reply = number_or_error(call_get(other, ms, &number), number);
    else if (ractor_equal(what, "fail")) *reply = text_or_error(call_fail_it(other, RACTOR_STR("no soup"), ms, &text), text);
    else if (ractor_equal(what, "drop")) *reply = text_or_error(call_drop_it(other, ms, &text), text);
    else *reply = text_or_error(call_keep(other, ms, &text), text);
    return RACTOR_OK;
}

static ractor_status tell_number(void *context, ractor_error error, uint64_t number) {
    Rest *rest = (Rest *)context;
    reply_ask_other(rest->call, number_or_error(error, number));
    done(rest);
    return RACTOR_OK;
}

static ractor_status tell_text(void *context, ractor_error error, ractor_str text) {
    Rest *rest = (Rest *)context;
    reply_ask_other(rest->call, text_or_error(error, text));
    done(rest);
    return RACTOR_OK;
}

// Goes on in `tell_…`, unless nothing was asked.
static ractor_status asked(Rest *rest, ractor_error error, ractor_str *reply) {
    if (error.kind == RACTOR_NO_ERROR) return RACTOR_PENDING;
    *reply = told(error);
    done(rest);
    return RACTOR_OK;
}

static ractor_status on_ask_other(Kitchen *self, ractor_str name, ractor_str what, uint64_t ms, ractor_str *reply) {
    ractor_pid other;
    *reply = RACTOR_STR("error:not-found");
    if (!ractor_where_is(name, &other)) return RACTOR_OK;
    Rest *rest = rest_of(self);
    if (ractor_equal(what, "get")) return asked(rest, ask_get(other, ms, tell_number, rest, NULL), reply);
    if (ractor_equal(what, "fail")) return asked(rest, ask_fail_it(other, RACTOR_STR("no soup"), ms, tell_text, rest, NULL), reply);
    if (ractor_equal(what, "drop")) return asked(rest, ask_drop_it(other, ms, tell_text, rest, NULL), reply);
    return asked(rest, ask_keep(other, ms, tell_text, rest, NULL), reply);
}

static ractor_str own_name(void) {
    ractor_str name;
    ractor_self_name(&name);
    return name;
}

static ractor_status on_ring(Kitchen *self, ractor_str name, ractor_str *reply) {
    (void)self;
    ractor_pid other;
    ractor_str text = RACTOR_STR("");
    if (!ractor_where_is(name, &other)) *reply = RACTOR_STR("error:not-found");
    else *reply = text_or_error(call_ring(other, own_name(), PATIENCE_MS, &text), text);
    return RACTOR_OK;
}

static ractor_status on_ask_ring(Kitchen *self, ractor_str name, ractor_str *reply) {
    ractor_pid other;
    *reply = RACTOR_STR("error:not-found");
    if (!ractor_where_is(name, &other)) return RACTOR_OK;
    Rest *rest = rest_of(self);
    return asked(rest, ask_ask_ring(other, own_name(), PATIENCE_MS, tell_text, rest, NULL), reply);
}

static ractor_status wake_up(void *context) {
    Rest *rest = (Rest *)context;
    reply_sleep(rest->call, rest->number);
    done(rest);
    return RACTOR_OK;
}

static ractor_status on_sleep(Kitchen *self, uint64_t ms, uint64_t *reply) {
    (void)reply;
    Rest *rest = rest_of(self);
    rest->number = ms;
    ractor_error error = ractor_wake_after(ms, wake_up, rest, NULL);
    return error.kind == RACTOR_NO_ERROR ? RACTOR_PENDING : ractor_fail_with("no timer", error);
}

// One of several replies. An error is the end of the call, but not of the waiting: `rest` is done with the last of them.
static ractor_status gathered(void *context, ractor_error error, uint64_t number) {
    Rest *rest = (Rest *)context;
    rest->number += number;
    if (error.kind != RACTOR_NO_ERROR) ractor_fail_call(rest->call, "%.*s", RACTOR_PRINT(ractor_error_text(error)));
    if (--rest->left > 0) return RACTOR_PENDING;
    reply_gather(rest->call, rest->number);
    done(rest);
    return RACTOR_OK;
}

static ractor_status on_gather(Kitchen *self, ractor_str name, uint32_t times, uint64_t *reply) {
    ractor_pid other;
    *reply = 0;
    if (!ractor_where_is(name, &other)) return ractor_fail("not-found");
    Rest *rest = rest_of(self);
    ractor_error error = {RACTOR_NO_ERROR, {NULL, 0}};
    while (rest->left < times && error.kind == RACTOR_NO_ERROR) {
        error = ask_get(other, PATIENCE_MS, gathered, rest, NULL);
        if (error.kind == RACTOR_NO_ERROR) rest->left++;
    }
    if (error.kind != RACTOR_NO_ERROR) ractor_fail_call(rest->call, "%.*s", RACTOR_PRINT(ractor_error_text(error)));
    if (rest->left > 0) return RACTOR_PENDING;
    done(rest);
    return error.kind == RACTOR_NO_ERROR ? RACTOR_OK : RACTOR_LATER;
}

static ractor_status never_told(void *context, ractor_error error, ractor_str text) {
    (void)error, (void)text;
    Rest *rest = (Rest *)context;
    ractor_fail_call(rest->call, "the call that was given up was answered");
    return RACTOR_OK;
}

static ractor_status give_up(void *context) {
    Rest *rest = (Rest *)context;
    ractor_give_up(rest->token);
    reply_cancel(rest->call, RACTOR_STR("cancelled"));
    done(rest);
    return RACTOR_OK;
}

static ractor_status on_cancel(Kitchen *self, ractor_str name, ractor_str *reply) {
    ractor_pid other;
    *reply = RACTOR_STR("error:not-found");
    if (!ractor_where_is(name, &other)) return RACTOR_OK;
    Rest *rest = rest_of(self);
    ractor_error error = ask_keep(other, RACTOR_FOREVER, never_told, rest, &rest->token);
    if (error.kind == RACTOR_NO_ERROR) error = ractor_wake_after(CANCEL_MS, give_up, rest, NULL);
    return error.kind == RACTOR_NO_ERROR ? RACTOR_PENDING : ractor_fail_with("can't cancel", error);
}

static ractor_status timed_out(void *context, ractor_error error, ractor_str text) {
    Rest *rest = (Rest *)context;
    reply_timeout_await(rest->call, error.kind == RACTOR_TIMEOUT ? RACTOR_STR("timeout") : text_or_error(error, text));
    done(rest);
    return RACTOR_OK;
}

static ractor_status on_timeout_await(Kitchen *self, ractor_str name, ractor_str *reply) {
    ractor_pid other;
    *reply = RACTOR_STR("error:not-found");
    if (!ractor_where_is(name, &other)) return RACTOR_OK;
    Rest *rest = rest_of(self);
    return asked(rest, ask_keep(other, CANCEL_MS, timed_out, rest, NULL), reply);
}

static ractor_status second_step(void *context) {
    Rest *rest = (Rest *)context;
    on_mark(rest->self, 2);
    reply_steps(rest->call, rest->text);
    done(rest);
    return RACTOR_OK;
}

static ractor_status on_steps(Kitchen *self, ractor_str text, ractor_str *reply) {
    (void)reply;
    on_mark(self, 1);
    Rest *rest = rest_of(self);
    ractor_keep_str(&rest->text, text);
    ractor_error error = ractor_wake_after(STEP_MS, second_step, rest, NULL);
    return error.kind == RACTOR_NO_ERROR ? RACTOR_PENDING : ractor_fail_with("no timer", error);
}

static ractor_status on_members(Kitchen *self, ractor_str group, uint32_t *reply) {
    (void)self;
    *reply = (uint32_t)ractor_members(group).count;
    return RACTOR_OK;
}

static ractor_status on_where_is(Kitchen *self, ractor_str name, bool *reply) {
    (void)self;
    ractor_pid other;
    *reply = ractor_where_is(name, &other);
    return RACTOR_OK;
}

static ractor_status on_events(Kitchen *self, ractor_str *reply) {
    *reply = self->events;
    return RACTOR_OK;
}

static ractor_status on_spawn(Kitchen *self, ractor_str module, ractor_str name, ractor_str argument, ractor_str *reply) {
    (void)self;
    ractor_child child = {module, name, {NULL, 0}, {NULL, 0}, RACTOR_TEMPORARY};
    ractor_encode(&ractor_type_string, &argument, &child.arguments);
    ractor_error error = ractor_spawn(child, NULL);
    *reply = error.kind == RACTOR_NO_ERROR ? RACTOR_STR("ok") : told(error);
    return RACTOR_OK;
}

static ractor_status on_children(Kitchen *self, uint32_t *reply) {
    (void)self;
    *reply = (uint32_t)ractor_children().count;
    return RACTOR_OK;
}

static ractor_status on_stop_child(Kitchen *self, ractor_str name, bool *reply) {
    (void)self;
    ractor_pid child;
    *reply = ractor_where_is(name, &child) && ractor_stop_child(child, RACTOR_STR(""));
    return RACTOR_OK;
}

static ractor_status on_kill_child(Kitchen *self, ractor_str name, bool *reply) {
    (void)self;
    ractor_pid child;
    *reply = ractor_where_is(name, &child) && ractor_kill_child(child);
    return RACTOR_OK;
}

static ractor_status on_config(Kitchen *self, ractor_str key, ractor_str *reply) {
    (void)self;
    ractor_config(key, reply);
    return RACTOR_OK;
}

static ractor_status on_self(Kitchen *self, ractor_str *reply) {
    (void)self;
    *reply = ractor_format("%.*s@%.*s", RACTOR_PRINT(own_name()), RACTOR_PRINT(ractor_node()));
    return RACTOR_OK;
}

static ractor_status on_now(Kitchen *self, uint64_t *reply) {
    (void)self;
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return ractor_fail("no clock");
    *reply = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    return RACTOR_OK;
}

// Not `rand`, which is the same sequence in every process of C until it is told otherwise.
static ractor_status on_random(Kitchen *self, uint64_t *reply) {
    (void)self;
    *reply = ractor_random_u64();
    return RACTOR_OK;
}

static ractor_status on_trace(Kitchen *self, ractor_str *reply) {
    (void)self;
    ractor_trace trace;
    ractor_trace_context(&trace);
    *reply = trace.parent;
    return RACTOR_OK;
}

static ractor_status on_address(Kitchen *self, ractor_str name, ractor_bytes *reply) {
    (void)self;
    ractor_pid other;
    if (!ractor_where_is(name, &other) || !ractor_address(other, reply)) return ractor_fail("not-found");
    return RACTOR_OK;
}

static ractor_status on_cast_address(Kitchen *self, ractor_bytes address, uint64_t n, bool *reply) {
    (void)self;
    ractor_pid other;
    *reply = ractor_resolve(address, &other) && ractor_cast(other, make_add(n)).kind == RACTOR_NO_ERROR;
    return RACTOR_OK;
}

static ractor_status on_big(Kitchen *self, uint64_t bytes, uint64_t *reply) {
    (void)self;
    ractor_str name;
    ractor_pid peer;
    if (!ractor_config(RACTOR_STR("peer"), &name) || !ractor_where_is(name, &peer)) return ractor_fail("no peer");
    ractor_bytes zeros = {(const uint8_t *)ractor_alloc((size_t)bytes), (size_t)bytes}, back;
    ractor_error error = call_echo_bytes(peer, zeros, PATIENCE_MS, &back);
    if (error.kind != RACTOR_NO_ERROR) return ractor_fail_with("no echo", error);
    *reply = back.len;
    return RACTOR_OK;
}
