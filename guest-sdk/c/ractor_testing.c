// The node behind ractor_testing.h: the imports of ractor.c, natively.

#include "ractor_testing.h"

#include "ractor.c"

#include <setjmp.h>

#define MOST 64
#define FIRST_OTHER 100

// What is to be delivered to the actor.
typedef enum delivery_kind { DELIVER_CAST, DELIVER_CALL, DELIVER_REPLY, DELIVER_WAKE } delivery_kind;

typedef struct delivery {
    struct delivery *next;
    delivery_kind kind;
    // When, and again after which period if that is not 0.
    uint64_t at, period;
    // The number of a timer, a call or a token.
    uint64_t number;
    char *tag;
    uint8_t *bytes;
    size_t len;
    // Of a reply that is an error.
    ractor_error_kind error;
    // A cast of a timer to another actor.
    ractor_pid to;
} delivery;

typedef struct call_record {
    bool answered;
    ractor_error_kind error;
    uint8_t *bytes;
    size_t len;
} call_record;

typedef struct pair {
    char *key, *value;
    size_t len;
    ractor_error_kind error;
    ractor_pid pid;
} pair;

static struct {
    uint64_t now, numbers;
    bool alive, running, held, joined_any;
    char failure[1024];
    char *log;
    size_t log_len;
    delivery *queue;
    call_record calls[MOST];
    size_t call_count;
    pair others[MOST], answers[MOST], members[MOST], config[MOST];
    size_t other_count, answer_count, member_count, config_count;
    jmp_buf exit;
} node;

static void *copy(const void *bytes, size_t len) {
    uint8_t *made = (uint8_t *)allocate(len + 1);
    if (len > 0) memcpy(made, bytes, len);
    return made;
}

// Into memory of the actor, as a node does it.
static void *hand_over(const void *bytes, size_t len) {
    void *made = cabi_realloc(NULL, 0, ALIGNMENT, len);
    if (len > 0) memcpy(made, bytes, len);
    return made;
}

static void *hand_over_text(const char *text, size_t *len) {
    *len = strlen(text);
    return hand_over(text, *len);
}

__attribute__((format(printf, 1, 2))) static void note(const char *how, ...) {
    char line[4096];
    va_list values;
    va_start(values, how);
    vsnprintf(line, sizeof line - 1, how, values);
    va_end(values);
    strcat(line, "\n");
    size_t len = strlen(line);
    node.log = (char *)realloc(node.log, node.log_len + len + 1);
    memcpy(node.log + node.log_len, line, len + 1);
    node.log_len += len;
}

const char *ractor_test_log(void) { return node.log == NULL ? "" : node.log; }

bool ractor_test_saw(const char *text) { return strstr(ractor_test_log(), text) != NULL; }

static const char *hex(const uint8_t *bytes, size_t len) {
    static char text[4 * 512];
    text[0] = 0;
    for (size_t i = 0; i < len && i < 512; i++) snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return text;
}

static const char *name_of(ractor_pid pid) {
    if (pid.id == 1) return "self";
    for (size_t i = 0; i < node.other_count; i++)
        if (ractor_same(node.others[i].pid, pid)) return node.others[i].key;
    return "nobody";
}

static bool exists(ractor_pid pid) { return pid.id == 1 || strcmp(name_of(pid), "nobody") != 0; }

static void end(const char *how, ractor_str why) {
    node.alive = false;
    snprintf(node.failure, sizeof node.failure, "%s%.*s", how, RACTOR_PRINT(why));
}

static pair *find_pair(pair *pairs, size_t count, const char *key, size_t len) {
    // The latest counts.
    while (count-- > 0)
        if (strlen(pairs[count].key) == len && memcmp(pairs[count].key, key, len) == 0) return &pairs[count];
    return NULL;
}

static void queue(delivery what) {
    delivery *added = (delivery *)allocate(sizeof *added);
    *added = what;
    added->next = NULL;
    delivery **at = &node.queue;
    // By time, and in order within it.
    while (*at != NULL && (*at)->at <= what.at) at = &(*at)->next;
    added->next = *at;
    *at = added;
}

// ---- What the actor is told ----

static void settle_call(uint64_t call, answer answer) {
    call_record *record = &node.calls[call - 1];
    if (answer.kind == ANSWER_LATER || record->answered) return;
    record->answered = true;
    record->error = answer.kind == ANSWER_FAILED ? RACTOR_FAILED_CALL : RACTOR_NO_ERROR;
    ractor_bytes bytes = answer.is.reply;
    if (answer.kind == ANSWER_FAILED) bytes = (ractor_bytes){(const uint8_t *)answer.is.reason.ptr, answer.is.reason.len};
    record->bytes = (uint8_t *)copy(bytes.ptr, bytes.len);
    record->len = bytes.len;
}

static void check(const nothing_or_text *result) {
    if (result->failed) end("", result->text);
}

static void deliver_within(const delivery *what) {
    size_t tag_len = 0;
    const char *tag = what->tag == NULL ? NULL : (const char *)hand_over_text(what->tag, &tag_len);
    const uint8_t *bytes = (const uint8_t *)hand_over(what->bytes, what->len);
    switch (what->kind) {
    case DELIVER_CAST:
        check(export_handle_cast(tag, tag_len, bytes, what->len));
        break;
    case DELIVER_CALL:
        settle_call(what->number, export_calls_handle_call(tag, tag_len, bytes, what->len, what->number)->is.answer);
        break;
    case DELIVER_REPLY:
        if (what->error == RACTOR_NO_ERROR)
            check(export_handle_reply(what->number, 0, (uintptr_t)bytes, what->len, 0));
        else
            check(export_handle_reply(what->number, 1, (uintptr_t)(what->error - RACTOR_UNKNOWN_ACTOR), (uintptr_t)bytes, what->len));
        break;
    case DELIVER_WAKE:
        check(export_handle_wake(what->number));
        break;
    }
}

// Runs one export of the actor, which may end it in the middle.
static void enter_actor(void (*export)(const void *), const void *with) {
    node.running = true;
    node.held = false;
    if (setjmp(node.exit) == 0) export(with);
    node.running = false;
}

static void deliver(const void *what) { deliver_within((const delivery *)what); }

// Delivers what is due, in order. Messages stay in the mailbox while a handler is pending.
static void run(void) {
    for (bool found = true; found && node.alive && !node.running;) {
        found = false;
        for (delivery **at = &node.queue; *at != NULL && (*at)->at <= node.now; at = &(*at)->next) {
            delivery *one = *at;
            bool message = one->kind == DELIVER_CAST || one->kind == DELIVER_CALL;
            if (message && node.held) continue;
            *at = one->next;
            found = true;
            if (message && one->to.id != 1) note("cast %s %s %s", name_of(one->to), one->tag, hex(one->bytes, one->len));
            else enter_actor(deliver, one);
            if (one->period > 0) {
                delivery again = *one;
                again.at += one->period;
                queue(again);
            } else {
                free(one->tag);
                free(one->bytes);
            }
            free(one);
            break;
        }
    }
}

void ractor_test_advance(uint64_t ms) {
    uint64_t until = node.now + ms;
    for (;;) {
        run();
        uint64_t next = UINT64_MAX;
        for (const delivery *one = node.queue; one != NULL; one = one->next)
            if (one->at > node.now && one->at < next) next = one->at;
        if (next > until) break;
        node.now = next;
    }
    node.now = until;
}

static void start(const void *argument) {
    const ractor_bytes *bytes = (const ractor_bytes *)argument;
    check(export_pre_start((const uint8_t *)hand_over(bytes->ptr, bytes->len), bytes->len));
}

static void post_start(const void *none) {
    (void)none;
    check(export_post_start());
}

bool ractor_test_start(const ractor_type *type, const void *argument) {
    ractor_bytes encoded, kept = {NULL, 0};
    free(node.log);
    memset(&node, 0, sizeof node);
    waiters = NULL;
    pending = NULL;
    if (!ractor_encode(type, argument, &encoded)) return false;
    ractor_keep_bytes(&kept, encoded);
    memset(ractor_the_actor()->self, 0, ractor_the_actor()->size);
    node.alive = true;
    enter_actor(start, &kept);
    if (node.alive) enter_actor(post_start, NULL);
    free((void *)(uintptr_t)kept.ptr);
    run();
    return node.alive;
}

bool ractor_test_is_alive(void) { return node.alive; }

const char *ractor_test_failure(void) { return node.failure; }

ractor_pid ractor_test_actor(void) { return (ractor_pid){0, 1}; }

static pair *add_pair(pair *pairs, size_t *count, const char *key, const void *value, size_t len) {
    if (*count == MOST) abort();
    pair *added = &pairs[(*count)++];
    *added = (pair){(char *)copy(key, strlen(key)), (char *)copy(value, len), len, RACTOR_NO_ERROR, {0, 0}};
    return added;
}

ractor_pid ractor_test_other(const char *name) {
    pair *added = add_pair(node.others, &node.other_count, name, "", 0);
    added->pid = (ractor_pid){0, FIRST_OTHER + node.other_count};
    return added->pid;
}

void ractor_test_answer(const char *tag, const ractor_type *type, const void *value) {
    ractor_bytes bytes;
    if (!ractor_encode(type, value, &bytes)) abort();
    add_pair(node.answers, &node.answer_count, tag, bytes.ptr, bytes.len);
}

void ractor_test_answer_error(const char *tag, ractor_error_kind kind, const char *reason) {
    add_pair(node.answers, &node.answer_count, tag, reason, strlen(reason))->error = kind;
}

void ractor_test_join(const char *group, ractor_pid member) {
    add_pair(node.members, &node.member_count, group, "", 0)->pid = member;
}

void ractor_test_configure(const char *key, const char *value) {
    add_pair(node.config, &node.config_count, key, value, strlen(value));
}

static ractor_open_call open_call(const char *tag, size_t tag_len, const uint8_t *bytes, size_t len) {
    if (node.call_count == MOST) abort();
    ractor_open_call call = ++node.call_count;
    queue((delivery){NULL, DELIVER_CALL, node.now, 0, call, (char *)copy(tag, tag_len), (uint8_t *)copy(bytes, len), len, RACTOR_NO_ERROR, {0, 1}});
    run();
    return call;
}

ractor_open_call ractor_test_call(ractor_sendable message) { return open_call(SPREAD(message.tag), SPREAD(message.arguments)); }

ractor_error ractor_test_reply(ractor_open_call call, const ractor_type *type, void *reply) {
    const call_record *record = &node.calls[call - 1];
    ractor_str text = {(const char *)record->bytes, record->len};
    if (!record->answered) return error_of(RACTOR_TIMEOUT);
    if (record->error != RACTOR_NO_ERROR) return (ractor_error){record->error, text};
    return decode_reply(type, (ractor_bytes){record->bytes, record->len}, reply);
}

typedef struct batch {
    const ractor_sendable *messages;
    size_t count;
} batch;

static void handle_batch(const void *parameters) {
    const batch *all = (const batch *)parameters;
    size_t len = 0;
    cast_sizes *sizes = (cast_sizes *)allocate(all->count * sizeof *sizes);
    for (size_t i = 0; i < all->count; i++) {
        sizes[i] = (cast_sizes){(uint32_t)all->messages[i].tag.len, (uint32_t)all->messages[i].arguments.len};
        len += sizes[i].tag + sizes[i].arguments;
    }
    uint8_t *bytes = (uint8_t *)allocate(len), *at = bytes;
    for (size_t i = 0; i < all->count; i++) {
        memcpy(at, all->messages[i].tag.ptr, sizes[i].tag);
        if (sizes[i].arguments > 0) memcpy(at + sizes[i].tag, all->messages[i].arguments.ptr, sizes[i].arguments);
        at += sizes[i].tag + sizes[i].arguments;
    }
    const uint8_t *handed = (const uint8_t *)hand_over(bytes, len);
    const cast_sizes *handed_sizes = (const cast_sizes *)hand_over(sizes, all->count * sizeof *sizes);
    free(bytes);
    free(sizes);
    check(export_handle_casts(handed, len, handed_sizes, all->count));
}

void ractor_test_cast_all(const ractor_sendable *messages, size_t count) {
    batch all = {messages, count};
    enter_actor(handle_batch, &all);
    run();
}

typedef struct event_parameters {
    const ractor_event *event;
} event_parameters;

static void handle_event(const void *parameters) {
    const ractor_event *event = ((const event_parameters *)parameters)->event;
    if (event->kind == RACTOR_GROUP_CHANGED) {
        ractor_str scope = event->scope == NULL ? (ractor_str){NULL, 0} : *event->scope;
        check(export_handle_supervisor_evt(event->kind, event->scope != NULL, (uintptr_t)scope.ptr, scope.len, (uintptr_t)event->group.ptr,
            event->group.len, event->joined ? 0 : 1, (uintptr_t)event->actors.items, event->actors.count));
    } else {
        ractor_str none = {NULL, 0}, name = event->name == NULL ? none : *event->name, reason = event->reason == NULL ? none : *event->reason;
        check(export_handle_supervisor_evt(event->kind, event->actor.node, event->actor.id, event->name != NULL, (uintptr_t)name.ptr, name.len,
            event->reason != NULL, (uintptr_t)reason.ptr, reason.len));
    }
}

void ractor_test_event(ractor_event event) {
    event_parameters parameters = {&event};
    enter_actor(handle_event, &parameters);
    run();
}

static void reload(const void *none) {
    (void)none;
    const bytes_or_text *taken = export_snapshot();
    if (taken->failed) {
        end("", taken->is.text);
        return;
    }
    size_t len = taken->is.bytes.len;
    void *state = copy(taken->is.bytes.ptr, len);
    memset(actor->self, 0, actor->size);
    waiters = NULL;
    check(export_restore((const uint8_t *)hand_over(state, len), len, actor->state_version));
    free(state);
    if (node.alive) check(export_post_reload());
}

bool ractor_test_reload(void) {
    enter_actor(reload, NULL);
    run();
    return node.alive;
}

const char *ractor_test_restore(void *self, const ractor_field *fields, size_t count, ractor_bytes state) {
    return ractor_read_state(self, fields, count, state) == RACTOR_OK ? NULL : ractor_cstr(failure);
}

// ---- What the actor asks for ----

void import_self_pid(ractor_pid *pid) { *pid = ractor_test_actor(); }

void import_self_name(option_str *name) {
    name->some = 1;
    name->value.ptr = (const char *)hand_over_text("self", &name->value.len);
}

void import_node_name(ractor_str *name) { name->ptr = (const char *)hand_over_text("test@localhost", &name->len); }

void import_cast(uint64_t to_node, uint64_t id, const char *tag, size_t tag_len, const uint8_t *bytes, size_t len, nothing_or_kind *result) {
    ractor_pid to = {to_node, id};
    *result = (nothing_or_kind){!exists(to), 0};
    if (result->failed) return;
    if (id != 1 || node.running) note("cast %s %.*s %s", name_of(to), (int)tag_len, tag, hex(bytes, len));
    if (id != 1) return;
    queue((delivery){NULL, DELIVER_CAST, node.now, 0, 0, (char *)copy(tag, tag_len), (uint8_t *)copy(bytes, len), len, RACTOR_NO_ERROR, to});
    run();
}

// What another actor replies.
static ractor_error_kind answer_of(ractor_pid to, const char *tag, size_t tag_len, ractor_bytes *bytes) {
    pair *found = find_pair(node.answers, node.answer_count, tag, tag_len);
    *bytes = (ractor_bytes){NULL, 0};
    if (!exists(to)) return RACTOR_UNKNOWN_ACTOR;
    if (found == NULL) return RACTOR_NO_REPLY;
    *bytes = (ractor_bytes){(const uint8_t *)found->value, found->len};
    return found->error;
}

void import_call(uint64_t to_node, uint64_t id, const char *tag, size_t tag_len, const uint8_t *bytes, size_t len, int32_t limited, uint64_t timeout_ms,
    bytes_or_error *result) {
    (void)limited, (void)timeout_ms;
    ractor_pid to = {to_node, id};
    ractor_bytes reply = {NULL, 0};
    ractor_error_kind error;
    if (id == 1 && !node.running) {
        const call_record *record = &node.calls[open_call(tag, tag_len, bytes, len) - 1];
        error = !node.alive ? RACTOR_NO_REPLY : record->answered ? record->error : RACTOR_TIMEOUT;
        reply = (ractor_bytes){record->bytes, record->len};
    } else if (id == 1) {
        error = RACTOR_WOULD_DEADLOCK;
    } else {
        note("call %s %.*s %s", name_of(to), (int)tag_len, tag, hex(bytes, len));
        error = answer_of(to, tag, tag_len, &reply);
    }
    reply.ptr = (const uint8_t *)hand_over(reply.ptr, reply.len);
    result->failed = error != RACTOR_NO_ERROR;
    if (result->failed) result->is.error = (call_error){(uint8_t)(error - RACTOR_UNKNOWN_ACTOR), {(const char *)reply.ptr, reply.len}};
    else result->is.bytes = reply;
}

void import_ask(uint64_t to_node, uint64_t id, const char *tag, size_t tag_len, const uint8_t *bytes, size_t len, int32_t limited, uint64_t timeout_ms,
    number_or_error *result) {
    (void)limited, (void)timeout_ms;
    ractor_pid to = {to_node, id};
    ractor_bytes reply;
    note("ask %s %.*s %s", name_of(to), (int)tag_len, tag, hex(bytes, len));
    ractor_error_kind error = id == 1 ? RACTOR_WOULD_DEADLOCK : answer_of(to, tag, tag_len, &reply);
    result->failed = 0;
    result->is.number = ++node.numbers;
    // It comes when time goes on.
    queue((delivery){NULL, DELIVER_REPLY, node.now + 1, 0, result->is.number, NULL, (uint8_t *)copy(id == 1 ? NULL : reply.ptr, id == 1 ? 0 : reply.len),
        id == 1 ? 0 : reply.len, error, {0, 1}});
}

static bool remove_queued(uint64_t number, bool reply) {
    for (delivery **at = &node.queue; *at != NULL; at = &(*at)->next) {
        delivery *one = *at;
        if (one->number != number || one->kind == DELIVER_CALL || (one->kind == DELIVER_REPLY) != reply) continue;
        *at = one->next;
        free(one);
        return true;
    }
    return false;
}

int32_t import_give_up(uint64_t token) { return remove_queued(token, true); }

void import_pending(int32_t mailbox) { node.held = mailbox == 0; }

void import_reply(uint64_t call, const uint8_t *bytes, size_t len, nothing_or_kind *result) {
    bool open = call >= 1 && call <= node.call_count && !node.calls[call - 1].answered;
    *result = (nothing_or_kind){!open, 0};
    answer reply = {ANSWER_REPLY, {{bytes, len}}};
    if (open) settle_call(call, reply);
}

void import_fail_call(uint64_t call, const char *why, size_t len) {
    if (call >= 1 && call <= node.call_count) settle_call(call, no_reply((ractor_str){why, len}));
}

void import_drop_call(uint64_t call) {
    if (call < 1 || call > node.call_count || node.calls[call - 1].answered) return;
    node.calls[call - 1].answered = true;
    node.calls[call - 1].error = RACTOR_NO_REPLY;
}

int32_t import_is_waiting(uint64_t call) { return call >= 1 && call <= node.call_count && !node.calls[call - 1].answered; }

void import_metadata(option_bytes *metadata) { metadata->some = 0; }

void import_trace_context(option_trace *trace) { trace->some = 0; }

int32_t import_next_cast(void) { return 1; }

void import_where_is(const char *name, size_t len, option_pid *found) {
    pair *other = find_pair(node.others, node.other_count, name, len);
    found->some = other != NULL || (len == 4 && memcmp(name, "self", 4) == 0);
    found->value = other != NULL ? other->pid : ractor_test_actor();
}

void import_address(uint64_t of_node, uint64_t id, option_bytes *address) {
    ractor_pid pid = {of_node, id};
    address->some = exists(pid);
    address->value = (ractor_bytes){(const uint8_t *)hand_over(&pid, sizeof pid), sizeof pid};
}

void import_resolve(const uint8_t *address, size_t len, option_pid *found) {
    found->some = len == sizeof found->value;
    if (found->some) memcpy(&found->value, address, len);
}

void import_join(const char *group, size_t len, int32_t scoped, const char *scope, size_t scope_len) {
    (void)scoped, (void)scope, (void)scope_len;
    char name[256];
    snprintf(name, sizeof name, "%.*s", (int)len, group);
    note("join %s", name);
    ractor_test_join(name, ractor_test_actor());
}

void import_leave(const char *group, size_t len, int32_t scoped, const char *scope, size_t scope_len) {
    (void)scoped, (void)scope, (void)scope_len;
    note("leave %.*s", (int)len, group);
    for (size_t i = 0; i < node.member_count; i++)
        if (node.members[i].pid.id == 1 && strlen(node.members[i].key) == len && memcmp(node.members[i].key, group, len) == 0)
            node.members[i] = node.members[--node.member_count];
}

void import_members(const char *group, size_t len, int32_t scoped, const char *scope, size_t scope_len, ractor_pids *members) {
    (void)scoped, (void)scope, (void)scope_len;
    ractor_pid found[MOST];
    size_t count = 0;
    for (size_t i = 0; i < node.member_count; i++)
        if (strlen(node.members[i].key) == len && memcmp(node.members[i].key, group, len) == 0) found[count++] = node.members[i].pid;
    *members = (ractor_pids){(const ractor_pid *)hand_over(found, count * sizeof *found), count};
}

void import_local_members(const char *group, size_t len, int32_t scoped, const char *scope, size_t scope_len, ractor_pids *members) {
    import_members(group, len, scoped, scope, scope_len, members);
}

void import_which_groups(int32_t scoped, const char *scope, size_t scope_len, ractor_strs *groups) {
    (void)scoped, (void)scope, (void)scope_len;
    ractor_str *names = (ractor_str *)cabi_realloc(NULL, 0, ALIGNMENT, (node.member_count + 1) * sizeof *names);
    for (size_t i = 0; i < node.member_count; i++) names[i].ptr = (const char *)hand_over_text(node.members[i].key, &names[i].len);
    *groups = (ractor_strs){names, node.member_count};
}

void import_monitor_group(const char *group, size_t len, int32_t scoped, const char *scope, size_t scope_len) {
    (void)scoped, (void)scope, (void)scope_len;
    note("monitor group %.*s", (int)len, group);
}

void import_demonitor_group(const char *group, size_t len, int32_t scoped, const char *scope, size_t scope_len) {
    (void)scoped, (void)scope, (void)scope_len;
    note("demonitor group %.*s", (int)len, group);
}

static void add_timer(const char *what, delivery_kind kind, uint64_t ms, uint64_t period, ractor_pid to, const char *tag, size_t tag_len,
    const uint8_t *bytes, size_t len, number_or_kind *timer) {
    note("%s %llu %s %.*s %s", what, (unsigned long long)ms, name_of(to), (int)tag_len, tag_len == 0 ? "" : tag, hex(bytes, len));
    timer->failed = 0;
    timer->is.number = ++node.numbers;
    queue((delivery){NULL, kind, node.now + ms, period, timer->is.number, (char *)copy(tag, tag_len), (uint8_t *)copy(bytes, len), len, RACTOR_NO_ERROR, to});
}

void import_send_after(uint64_t to_node, uint64_t id, const char *tag, size_t tag_len, const uint8_t *bytes, size_t len, uint64_t ms, number_or_kind *timer) {
    add_timer("after", DELIVER_CAST, ms, 0, (ractor_pid){to_node, id}, tag, tag_len, bytes, len, timer);
}

void import_send_interval(uint64_t to_node, uint64_t id, const char *tag, size_t tag_len, const uint8_t *bytes, size_t len, uint64_t ms,
    number_or_kind *timer) {
    uint64_t period = ms == 0 ? 1 : ms;
    add_timer("every", DELIVER_CAST, period, period, (ractor_pid){to_node, id}, tag, tag_len, bytes, len, timer);
}

void import_stop_after(uint64_t ms, number_or_kind *timer) {
    note("stop after %llu", (unsigned long long)ms);
    *timer = (number_or_kind){0, {++node.numbers}};
}

void import_wake_after(uint64_t ms, number_or_kind *timer) {
    add_timer("wake", DELIVER_WAKE, ms, 0, ractor_test_actor(), NULL, 0, NULL, 0, timer);
}

int32_t import_cancel_timer(uint64_t timer) { return remove_queued(timer, false); }

void import_log(int32_t level, const char *target, size_t target_len, const char *text, size_t len, const ractor_setting *fields, size_t count) {
    static const char *const LEVELS[] = {"trace", "debug", "info", "warn", "error"};
    (void)target, (void)target_len, (void)fields, (void)count;
    note("log %s %.*s", LEVELS[level], (int)len, text);
}

void import_spawn(const char *module, size_t module_len, int32_t named, const char *name, size_t name_len, const uint8_t *bytes, size_t len,
    const ractor_str *groups, size_t count, int32_t restart, pid_or_error *result) {
    (void)groups, (void)count, (void)restart, (void)named;
    char text[256];
    snprintf(text, sizeof text, "%.*s", (int)name_len, name_len == 0 ? "" : name);
    note("spawn %.*s %s %s", (int)module_len, module, text, hex(bytes, len));
    result->failed = 0;
    result->is.pid = ractor_test_other(text);
}

void import_children(ractor_pids *children) { *children = (ractor_pids){NULL, 0}; }

void import_supervisor(option_pid *supervisor) { supervisor->some = 0; }

void import_stop(int32_t some, const char *reason, size_t len) {
    (void)some;
    note("stop %.*s", (int)len, len == 0 ? "" : reason);
    end("stopped", (ractor_str){NULL, 0});
}

void import_exit(const char *reason, size_t len) {
    end("exit: ", (ractor_str){reason, len});
    longjmp(node.exit, 1);
}

int32_t import_stop_child(uint64_t to_node, uint64_t id, int32_t some, const char *reason, size_t len) {
    (void)some;
    ractor_pid child = {to_node, id};
    note("stop child %s %.*s", name_of(child), (int)len, len == 0 ? "" : reason);
    return exists(child);
}

int32_t import_kill_child(uint64_t to_node, uint64_t id) {
    ractor_pid child = {to_node, id};
    note("kill child %s", name_of(child));
    return exists(child);
}

void import_monitor(uint64_t to_node, uint64_t id, nothing_or_kind *result) {
    ractor_pid other = {to_node, id};
    note("monitor %s", name_of(other));
    *result = (nothing_or_kind){!exists(other), 0};
}

void import_demonitor(uint64_t to_node, uint64_t id) { note("demonitor %s", name_of((ractor_pid){to_node, id})); }

void import_config_value(const char *key, size_t len, option_str *value) {
    pair *found = find_pair(node.config, node.config_count, key, len);
    value->some = found != NULL;
    if (found != NULL) value->value.ptr = (const char *)hand_over_text(found->value, &value->value.len);
}

void import_config_entries(ractor_settings *entries) {
    ractor_setting *made = (ractor_setting *)cabi_realloc(NULL, 0, ALIGNMENT, (node.config_count + 1) * sizeof *made);
    for (size_t i = 0; i < node.config_count; i++) {
        made[i].key.ptr = (const char *)hand_over_text(node.config[i].key, &made[i].key.len);
        made[i].value.ptr = (const char *)hand_over_text(node.config[i].value, &made[i].value.len);
    }
    *entries = (ractor_settings){made, node.config_count};
}

void import_random(int32_t count, ractor_bytes *bytes) {
    uint8_t *made = (uint8_t *)cabi_realloc(NULL, 0, 1, (size_t)count);
    // The same numbers in each test.
    for (int32_t i = 0; i < count; i++) made[i] = (uint8_t)(++node.numbers * 151 >> 3);
    *bytes = (ractor_bytes){made, (size_t)count};
}
