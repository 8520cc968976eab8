// An actor of everything that goes on over several messages, with a node that writes down what it is asked.

#include "ractor_testing.h"

#include "check.h"

RACTOR_LIST(list_u16)
RACTOR_OPTION(string)
RACTOR_MAP(string, u64)

typedef struct Life {
    uint64_t count;
    ractor_str note;
    ractor_list_u64 marks;
    ractor_option_string last;
    ractor_map_string_u64 totals;
    ractor_list_list_u16 pages;
    uint32_t limit;
    ractor_open_call open;
    int events;
} Life;

#define FIELDS(FIELD) \
    FIELD(u64, count) FIELD(string, note) FIELD(list_u64, marks) FIELD(option_string, last) FIELD(map_string_u64, totals) \
    FIELD(list_list_u16, pages) FIELD(u32, limit, 7)

#define MESSAGES(CAST, CALL) \
    CAST(add, "Adds.", (u64, n)) \
    CAST(note, (string, text)) \
    CAST(fail) \
    CAST(greet, (string, name)) \
    CAST(later_add, (u64, ms), (u64, n)) \
    CAST((leave, "Exit")) \
    CAST(release, (string, text)) \
    CALL(get, u64) \
    CALL(check, unit, (u64, at_most)) \
    CALL(keep, string) \
    CALL(ask, u64, (string, name)) \
    CALL(sum, u64, (string, name), (u32, times)) \
    CALL(nap, u64, (u64, ms)) \
    CALL(hang, u64) \
    CALL(bad_text, string) \
    CALL(broken_sleep, u64)

static ractor_status on_event(Life *self, const ractor_event *event);
static ractor_status post_start(Life *self);
RACTOR_ACTOR(Life, (u64, count), MESSAGES, FIELDS, .version = "2.0.0", .state_version = 3, .on_event = on_event, .post_start = post_start)

static ractor_status pre_start(Life *self, uint64_t count) {
    if (count == 99) return ractor_fail("%d is too much", 99);
    self->count = count;
    return RACTOR_OK;
}

static ractor_status post_start(Life *self) {
    (void)self;
    ractor_join(RACTOR_STR("lives"));
    ractor_str greeting;
    if (ractor_config(RACTOR_STR("greeting"), &greeting)) ractor_log(RACTOR_INFO, "%.*s", RACTOR_PRINT(greeting));
    return RACTOR_OK;
}

static ractor_status on_event(Life *self, const ractor_event *event) {
    self->events++;
    if (event->kind == RACTOR_GROUP_CHANGED) ractor_log(RACTOR_INFO, "%zu %s %.*s", event->actors.count, event->joined ? "joined" : "left", RACTOR_PRINT(event->group));
    else ractor_log(RACTOR_INFO, "%.*s: %.*s", RACTOR_PRINT(*event->name), RACTOR_PRINT(*event->reason));
    return RACTOR_OK;
}

static ractor_status on_add(Life *self, uint64_t n) {
    self->count += n;
    RACTOR_PUSH(u64, &self->marks, n);
    return RACTOR_OK;
}

static ractor_status on_note(Life *self, ractor_str text) {
    ractor_keep_str(&self->note, text);
    self->last.some = true;
    ractor_keep_str(&self->last.value, text);
    ractor_entry_string_u64 entry = {{NULL, 0}, self->count};
    ractor_keep_str(&entry.key, text);
    RACTOR_PUSH(list_u16, &self->pages, ((ractor_list_u16){NULL, 0}));
    *(ractor_entry_string_u64 *)ractor_grow_(&self->totals.items, &self->totals.count, sizeof entry) = entry;
    return RACTOR_OK;
}

static ractor_status on_fail(Life *self) { return ractor_fail("%llu is enough", (unsigned long long)self->count); }

static ractor_status on_greet(Life *self, ractor_str name) {
    (void)self;
    ractor_pid other;
    if (!ractor_where_is(name, &other)) return ractor_fail("nobody");
    ractor_error error = ractor_cast(other, make_note(RACTOR_STR("hello")));
    return error.kind == RACTOR_NO_ERROR ? RACTOR_OK : ractor_fail_with("no greeting", error);
}

static ractor_status on_later_add(Life *self, uint64_t ms, uint64_t n) {
    (void)self;
    ractor_send_after(ractor_self(), make_add(n), ms, NULL);
    return RACTOR_OK;
}

static ractor_status on_leave(Life *self) {
    (void)self;
    ractor_exit(RACTOR_STR("enough"));
}

static ractor_status on_release(Life *self, ractor_str text) {
    reply_keep(self->open, text);
    return RACTOR_OK;
}

static ractor_status on_get(Life *self, uint64_t *reply) {
    *reply = self->count;
    return RACTOR_OK;
}

static ractor_status on_check(Life *self, uint64_t at_most) { return self->count <= at_most ? RACTOR_OK : ractor_fail("too many"); }

static ractor_status on_keep(Life *self, ractor_str *reply) {
    (void)reply;
    self->open = ractor_this_call();
    return RACTOR_LATER;
}

// One number of the test is enough to go on with.
static ractor_open_call asking;
static uint64_t total;
static uint32_t left;

static ractor_status answered(void *context, ractor_error error, uint64_t number) {
    (void)context;
    if (error.kind != RACTOR_NO_ERROR) return ractor_fail_with("no answer", error);
    reply_ask(asking, number);
    return RACTOR_OK;
}

static ractor_status on_ask(Life *self, ractor_str name, uint64_t *reply) {
    (void)reply;
    ractor_pid other;
    if (!ractor_where_is(name, &other)) return ractor_fail("nobody");
    asking = ractor_this_call();
    ractor_error error = ask_get(other, 1000, answered, self, NULL);
    return error.kind == RACTOR_NO_ERROR ? RACTOR_PENDING : ractor_fail_with("not asked", error);
}

static ractor_status summed(void *context, ractor_error error, uint64_t number) {
    (void)context, (void)error;
    total += number;
    if (--left > 0) return RACTOR_PENDING;
    reply_sum(asking, total);
    return RACTOR_OK;
}

static ractor_status on_sum(Life *self, ractor_str name, uint32_t times, uint64_t *reply) {
    (void)reply;
    ractor_pid other;
    if (!ractor_where_is(name, &other)) return ractor_fail("nobody");
    asking = ractor_this_call(), left = times, total = 0;
    for (uint32_t i = 0; i < times; i++) ask_get(other, 1000, summed, self, NULL);
    return RACTOR_PENDING;
}

static ractor_status awake(void *context) {
    Life *self = (Life *)context;
    reply_nap(asking, self->count);
    return RACTOR_OK;
}

static ractor_status on_nap(Life *self, uint64_t ms, uint64_t *reply) {
    (void)reply;
    asking = ractor_this_call();
    ractor_wake_after(ms, awake, self, NULL);
    return RACTOR_PENDING;
}

static ractor_status on_hang(Life *self, uint64_t *reply) {
    (void)self, (void)reply;
    return RACTOR_PENDING;
}

static ractor_status on_bad_text(Life *self, ractor_str *reply) {
    (void)self;
    *reply = RACTOR_STR("\xff");
    return RACTOR_OK;
}

static ractor_status failing(void *context) {
    (void)context;
    return ractor_fail("woke up in a bad mood");
}

static ractor_status on_broken_sleep(Life *self, uint64_t *reply) {
    (void)reply;
    ractor_wake_after(5, failing, self, NULL);
    return RACTOR_PENDING;
}

// ---- The tests ----

static ractor_pid me(void) { return ractor_test_actor(); }

static void begin_test(uint64_t count) { CHECK(ractor_test_start(&ractor_type_u64, &count)); }

static bool says(ractor_error error, const char *text) { return error.kind == RACTOR_FAILED_CALL && strstr(ractor_cstr(error.reason), text) != NULL; }

static void starts(void) {
    uint64_t n = 99;
    CHECK(!ractor_test_start(&ractor_type_u64, &n));
    CHECK(strcmp(ractor_test_failure(), "99 is too much") == 0);
    uint8_t small = 1;
    CHECK(!ractor_test_start(&ractor_type_u8, &small));
    CHECK(strstr(ractor_test_failure(), "`count` is no u64") != NULL);
    begin_test(5);
    CHECK(ractor_test_saw("join lives"));
    CHECK(call_get(me(), 1000, &n).kind == RACTOR_NO_ERROR && n == 5);
}

static void messages_are_handled(void) {
    uint64_t n;
    ractor_str text;
    begin_test(5);
    CHECK(ractor_cast(me(), make_add(2)).kind == RACTOR_NO_ERROR);
    CHECK(call_get(me(), 1000, &n).kind == RACTOR_NO_ERROR && n == 7);
    // A call that fails is not the end.
    CHECK(call_check(me(), 7, 1000).kind == RACTOR_NO_ERROR);
    CHECK(says(call_check(me(), 6, 1000), "too many"));
    CHECK(says(call_bad_text(me(), 1000, &text), "no string"));
    CHECK(ractor_test_is_alive());
    // A cast that fails is.
    ractor_cast(me(), make_fail());
    CHECK(!ractor_test_is_alive() && strcmp(ractor_test_failure(), "7 is enough") == 0);
    begin_test(1);
    ractor_cast(me(), make_leave());
    CHECK(strcmp(ractor_test_failure(), "exit: enough") == 0);
}

static ractor_sendable raw(const char *tag, const char *bytes, size_t len) {
    ractor_sendable made = {ractor_text(tag), {(const uint8_t *)bytes, len}, {NULL, 0}};
    return made;
}

static void what_does_not_decode_is_refused(void) {
    uint64_t n;
    begin_test(5);
    CHECK(says(ractor_call(me(), raw("Check", "", 0), 1000, &ractor_type_unit, NULL), "`at_most` is missing"));
    CHECK(says(ractor_call(me(), raw("Check", "\0\0\0", 3), 1000, &ractor_type_unit, NULL), "`at_most` is cut off"));
    CHECK(says(ractor_call(me(), raw("Check", "\0\0\0\0\0\0\0\x09" "12345678", 16), 1000, &ractor_type_unit, NULL), "`at_most` is cut off"));
    CHECK(says(ractor_call(me(), raw("Check", "\xff\xff\xff\xff\xff\xff\xff\xff", 8), 1000, &ractor_type_unit, NULL), "`at_most` is cut off"));
    CHECK(says(ractor_call(me(), raw("Check", "\0\0\0\0\0\0\0\x01" "1", 9), 1000, &ractor_type_unit, NULL), "`at_most` is no u64"));
    CHECK(says(ractor_call(me(), raw("Get", "x", 1), 1000, &ractor_type_u64, &n), "1 bytes are left"));
    CHECK(says(ractor_call(me(), raw("Nothing", "", 0), 1000, &ractor_type_unit, NULL), "no call Nothing"));
    // A cast is not a call, and the other way round.
    CHECK(says(ractor_call(me(), raw("Add", "", 0), 1000, &ractor_type_unit, NULL), "no call Add"));
    ractor_cast(me(), raw("Add", "", 0));
    CHECK(ractor_test_saw("log warn dropped a cast Add: the argument `n` is missing"));
    ractor_cast(me(), raw("Get", "", 0));
    CHECK(ractor_test_saw("log warn dropped a cast Get, which is not understood"));
    CHECK(call_get(me(), 1000, &n).kind == RACTOR_NO_ERROR && n == 5);
}

static void others_are_reached(void) {
    begin_test(5);
    ractor_cast(me(), make_greet(RACTOR_STR("printer")));
    CHECK(strcmp(ractor_test_failure(), "nobody") == 0);
    begin_test(5);
    ractor_test_other("printer");
    ractor_cast(me(), make_greet(RACTOR_STR("printer")));
    CHECK(ractor_test_saw("cast printer Note 000000000000000568656c6c6f"));
    // Timers, which come when time does.
    uint64_t n;
    ractor_cast(me(), make_later_add(50, 3));
    ractor_test_advance(49);
    CHECK(call_get(me(), 1000, &n).kind == RACTOR_NO_ERROR && n == 5);
    ractor_test_advance(1);
    CHECK(call_get(me(), 1000, &n).kind == RACTOR_NO_ERROR && n == 8);
    ractor_str name = RACTOR_STR("child"), why = RACTOR_STR("tired");
    ractor_event ended = {RACTOR_TERMINATED, {0, 7}, &name, &why, NULL, {NULL, 0}, false, {NULL, 0}};
    ractor_test_event(ended);
    CHECK(ractor_test_saw("log info child: tired"));
    ractor_pid members[] = {{0, 7}, {0, 8}};
    ractor_event joined = {RACTOR_GROUP_CHANGED, {0, 0}, NULL, NULL, NULL, RACTOR_STR("lives"), true, {members, 2}};
    ractor_test_event(joined);
    CHECK(ractor_test_saw("log info 2 joined lives"));
}

static void calls_are_answered_later(void) {
    begin_test(5);
    ractor_str text;
    ractor_open_call call = ractor_test_call(make_keep());
    CHECK(ractor_test_reply(call, &ractor_type_string, &text).kind == RACTOR_TIMEOUT);
    ractor_cast(me(), make_release(RACTOR_STR("done")));
    CHECK(ractor_test_reply(call, &ractor_type_string, &text).kind == RACTOR_NO_ERROR && ractor_equal(text, "done"));
}

static void handlers_wait(void) {
    uint64_t n, forty = 40;
    begin_test(5);
    ractor_test_other("other");
    ractor_test_answer("Get", &ractor_type_u64, &forty);
    ractor_open_call call = ractor_test_call(make_ask(RACTOR_STR("other")));
    // Meanwhile other messages wait.
    ractor_cast(me(), make_add(1));
    CHECK(call_get(me(), 1000, &n).kind == RACTOR_TIMEOUT);
    ractor_test_advance(1);
    CHECK(ractor_test_reply(call, &ractor_type_u64, &n).kind == RACTOR_NO_ERROR && n == 40);
    CHECK(call_get(me(), 1000, &n).kind == RACTOR_NO_ERROR && n == 6);
    // Until all of them are there.
    call = ractor_test_call(make_sum(RACTOR_STR("other"), 3));
    ractor_cast(me(), make_add(1));
    ractor_test_advance(1);
    CHECK(ractor_test_reply(call, &ractor_type_u64, &n).kind == RACTOR_NO_ERROR && n == 120);
    call = ractor_test_call(make_nap(100));
    ractor_cast(me(), make_add(10));
    ractor_test_advance(100);
    // The cast waited for it.
    CHECK(ractor_test_reply(call, &ractor_type_u64, &n).kind == RACTOR_NO_ERROR && n == 7);
    CHECK(call_get(me(), 1000, &n).kind == RACTOR_NO_ERROR && n == 17);
    // An error is the caller's, wherever the handler has got to.
    ractor_test_answer_error("Get", RACTOR_FAILED_CALL, "no soup");
    call = ractor_test_call(make_ask(RACTOR_STR("other")));
    ractor_test_advance(1);
    CHECK(says(ractor_test_reply(call, &ractor_type_u64, &n), "no answer: failed: no soup"));
    call = ractor_test_call(make_broken_sleep());
    ractor_test_advance(5);
    CHECK(says(ractor_test_reply(call, &ractor_type_u64, &n), "bad mood"));
    CHECK(says(call_hang(me(), 1000, &n), "waits for no reply"));
    CHECK(ractor_test_is_alive());
    CHECK(call_get(me(), 1000, &n).kind == RACTOR_NO_ERROR && n == 17);
}

static void batches_are_handled_in_order(void) {
    uint64_t n;
    begin_test(0);
    ractor_sendable casts[] = {make_add(1), make_note(RACTOR_STR("one")), make_add(2), raw("Add", "", 0), make_add(3)};
    ractor_test_cast_all(casts, 5);
    CHECK(call_get(me(), 1000, &n).kind == RACTOR_NO_ERROR && n == 6);
    const Life *life = (const Life *)ractor_the_actor()->self;
    CHECK(life->marks.count == 3 && life->marks.items[2] == 3 && ractor_equal(life->note, "one"));
    CHECK(ractor_test_saw("dropped a cast Add"));
    // What is behind the one that fails is not for this instance.
    ractor_sendable failing_casts[] = {make_add(4), make_fail(), make_add(5)};
    ractor_test_cast_all(failing_casts, 3);
    CHECK(!ractor_test_is_alive() && strcmp(ractor_test_failure(), "10 is enough") == 0 && life->count == 10);
}

static void states_stay(void) {
    uint64_t n;
    begin_test(5);
    for (uint64_t i = 1; i <= 9; i++) ractor_cast(me(), make_add(i));
    ractor_cast(me(), make_note(RACTOR_STR("b\"\n\xf0\x9f\xa6\x80")));
    ractor_cast(me(), make_note(RACTOR_STR("a")));
    CHECK(ractor_test_reload());
    CHECK(call_get(me(), 1000, &n).kind == RACTOR_NO_ERROR && n == 50);
    const Life *life = (const Life *)ractor_the_actor()->self;
    CHECK(life->marks.count == 9 && life->marks.items[8] == 9);
    CHECK(ractor_equal(life->note, "a") && life->last.some && ractor_equal(life->last.value, "a"));
    CHECK(life->totals.count == 2 && life->pages.count == 2 && life->limit == 0);
    // What was read can grow.
    ractor_cast(me(), make_add(10));
    ractor_cast(me(), make_note(RACTOR_STR("c")));
    CHECK(ractor_test_reload() && life->marks.count == 10 && life->totals.count == 3);
    // The same key twice is no map.
    ractor_cast(me(), make_note(RACTOR_STR("c")));
    CHECK(!ractor_test_reload());
    CHECK(strcmp(ractor_test_failure(), "the value of the field `totals` is no map<string, u64>") == 0);
}

static void a_state_that_is_no_text_is_not_handed_on(void) {
    begin_test(0);
    ractor_keep_str(&((Life *)ractor_the_actor()->self)->note, RACTOR_STR("\xff"));
    CHECK(!ractor_test_reload());
    CHECK(strcmp(ractor_test_failure(), "the value of the field `note` is no string") == 0);
}

static void it_is_what_the_tables_say(void) {
    begin_test(0);
    const ractor_actor *life = ractor_the_actor();
    CHECK(strcmp(life->name, "Life") == 0 && strcmp(life->version, "2.0.0") == 0 && life->state_version == 3);
    CHECK(life->handler_count == 16 && life->field_count == 7);
    CHECK(strcmp(life->handlers[0].message->documentation, "Adds.") == 0);
    CHECK(strcmp(life->handlers[0].message->parameters[0].name, "n") == 0);
}

int main(void) {
    starts();
    messages_are_handled();
    what_does_not_decode_is_refused();
    others_are_reached();
    calls_are_answered_later();
    handlers_wait();
    batches_are_handled_in_order();
    states_stay();
    a_state_that_is_no_text_is_not_handed_on();
    it_is_what_the_tables_say();
    return summary("life");
}
