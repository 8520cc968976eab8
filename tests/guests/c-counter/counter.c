// A counter in C, straight against the WIT world `ractor:actor/guest-actor`, without an SDK. It understands the messages
// of examples/counter, byte for byte, so whoever talks to it can't tell the two apart.
//
// guest_actor.h is generated from wit/: one type for each WIT type, `ractor_actor_INTERFACE_FUNCTION` for each import, and
// the `exports_…` functions below to be written here. README.md in the folder above says how it is built.
//
// Who frees what: the arguments of an export are ours to free; what an export returns is freed by the generated code, so
// it must come from malloc; the arguments of an import stay ours; what an import returns is ours to free.

#include <stdlib.h>
#include <string.h>

#include "guest_actor.h"

typedef guest_actor_list_u8_t bytes_t;
typedef guest_actor_string_t string_t;
typedef ractor_actor_types_pid_t pid;

// An instance is one actor, and its exports are never called concurrently: globals are its state.
static uint64_t count = 0;

// How long another member of a group may take to answer.
static const uint64_t PATIENCE_MS = 1000;

// ---- The encoding of messages: a u64 is 8 bytes, big-endian; each argument is its length as a u64, and its bytes. ----

static uint64_t get_u64(const uint8_t *from) {
    uint64_t n = 0;
    for (int i = 0; i < 8; i++) n = n << 8 | from[i];
    return n;
}

static void put_u64(uint8_t *to, uint64_t n) {
    for (int i = 7; i >= 0; i--, n >>= 8) to[i] = (uint8_t)n;
}

// Takes the next argument off `args`. It points into them.
static bool take(bytes_t *args, bytes_t *argument) {
    if (args->len < 8) return false;
    uint64_t len = get_u64(args->ptr);
    if (len > args->len - 8) return false;
    *argument = (bytes_t){args->ptr + 8, (size_t)len};
    *args = (bytes_t){args->ptr + 8 + len, args->len - 8 - (size_t)len};
    return true;
}

static bool take_u64(bytes_t *args, uint64_t *n) {
    bytes_t argument;
    if (!take(args, &argument) || argument.len != 8) return false;
    *n = get_u64(argument.ptr);
    return true;
}

// What is handed to the node as a string must be UTF-8: anything else traps, and ends the actor.
static bool is_utf8(const uint8_t *s, size_t len) {
    for (size_t i = 0; i < len;) {
        // The first byte says how many follow. No shorter form of the same code point is allowed.
        uint32_t c = s[i++], least;
        int more;
        if (c < 0x80) continue;
        else if ((c & 0xe0) == 0xc0) more = 1, least = 0x80, c &= 0x1f;
        else if ((c & 0xf0) == 0xe0) more = 2, least = 0x800, c &= 0x0f;
        else if ((c & 0xf8) == 0xf0) more = 3, least = 0x10000, c &= 0x07;
        else return false;
        for (; more > 0; more--) {
            if (i == len || (s[i] & 0xc0) != 0x80) return false;
            c = c << 6 | (s[i++] & 0x3f);
        }
        if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return false;
    }
    return true;
}

static bool take_string(bytes_t *args, string_t *text) {
    bytes_t argument;
    if (!take(args, &argument) || !is_utf8(argument.ptr, argument.len)) return false;
    *text = (string_t){argument.ptr, argument.len};
    return true;
}

static bytes_t reply_u64(uint64_t n) {
    bytes_t reply = {malloc(8), 8};
    put_u64(reply.ptr, n);
    return reply;
}

// ---- Small things ----

static bool is(const string_t *text, const char *what) {
    return text->len == strlen(what) && memcmp(text->ptr, what, text->len) == 0;
}

static void add(uint64_t n) {
    count = count > UINT64_MAX - n ? UINT64_MAX : count + n;
}

static void warn(const char *text) {
    string_t target, message;
    guest_actor_string_set(&target, "c_counter");
    guest_actor_string_set(&message, text);
    guest_actor_list_tuple2_string_string_t no_fields = {NULL, 0};
    ractor_actor_logging_log(RACTOR_ACTOR_LOGGING_LEVEL_WARN, &target, &message, &no_fields);
}

// Every member of a group but this actor. To be freed.
static ractor_actor_groups_list_pid_t others(string_t *group) {
    ractor_actor_groups_list_pid_t members;
    pid self;
    ractor_actor_identity_self_pid(&self);
    ractor_actor_groups_members(group, NULL, &members);
    size_t kept = 0;
    for (size_t i = 0; i < members.len; i++) {
        if (members.ptr[i].node == self.node && members.ptr[i].id == self.id) continue;
        members.ptr[kept++] = members.ptr[i];
    }
    // What is freed later is freed by its length, which is about to be nothing.
    if (kept == 0) ractor_actor_groups_list_pid_free(&members);
    members.len = kept;
    return members;
}

// ---- What the messages do ----

// The sum of what the others of a group count. False if one of them does not answer.
static bool sum_of(string_t *group, uint64_t *sum) {
    string_t get;
    guest_actor_string_set(&get, "Get");
    bytes_t no_arguments = {NULL, 0};
    uint64_t patience = PATIENCE_MS;
    ractor_actor_groups_list_pid_t members = others(group);
    bool all = true;
    *sum = 0;
    for (size_t i = 0; i < members.len && all; i++) {
        bytes_t reply;
        ractor_actor_messaging_send_error_t error;
        all = ractor_actor_messaging_call(&members.ptr[i], &get, &no_arguments, &patience, &reply, &error);
        if (!all) break;
        all = reply.len == 8;
        uint64_t n = all ? get_u64(reply.ptr) : 0;
        *sum = *sum > UINT64_MAX - n ? UINT64_MAX : *sum + n;
        guest_actor_list_u8_free(&reply);
    }
    ractor_actor_groups_list_pid_free(&members);
    return all;
}

static void add_to(string_t *group, uint64_t n) {
    string_t variant;
    guest_actor_string_set(&variant, "Add");
    uint8_t encoded[16];
    put_u64(encoded, 8);
    put_u64(encoded + 8, n);
    bytes_t arguments = {encoded, sizeof encoded};
    ractor_actor_groups_list_pid_t members = others(group);
    for (size_t i = 0; i < members.len; i++) {
        ractor_actor_messaging_send_error_t error;
        if (!ractor_actor_messaging_cast(&members.ptr[i], &variant, &arguments, &error)) warn("a member is gone");
    }
    ractor_actor_groups_list_pid_free(&members);
}

// ---- The exports ----

bool exports_ractor_actor_actor_pre_start(bytes_t *args, string_t *err) {
    bool ok = args->len == 8;
    if (ok) count = get_u64(args->ptr);
    else guest_actor_string_dup(err, "the start argument is no u64");
    guest_actor_list_u8_free(args);
    return ok;
}

bool exports_ractor_actor_actor_handle_cast(string_t *variant, bytes_t *args, string_t *err) {
    bytes_t rest = *args;
    string_t text;
    uint64_t n;
    bool lives = true;
    if (is(variant, "Add") && take_u64(&rest, &n) && rest.len == 0) {
        add(n);
    } else if (is(variant, "AddTo") && take_string(&rest, &text) && take_u64(&rest, &n) && rest.len == 0) {
        add_to(&text, n);
    } else if (is(variant, "Crash") && take_string(&rest, &text) && rest.len == 0) {
        // The actor fails, for this reason.
        guest_actor_string_dup_n(err, (const char *)text.ptr, text.len);
        lives = false;
    } else {
        warn("dropped a message that it doesn't understand");
    }
    guest_actor_string_free(variant);
    guest_actor_list_u8_free(args);
    return lives;
}

bool exports_ractor_actor_actor_handle_call(string_t *variant, bytes_t *args, uint64_t reply_to,
                                            guest_actor_option_list_u8_t *ret, string_t *err) {
    (void)err;
    bytes_t rest = *args;
    string_t text;
    uint64_t n;
    ret->is_some = true;
    if (is(variant, "Get") && rest.len == 0) {
        ret->val = reply_u64(count);
    } else if (is(variant, "AddAndGet") && take_u64(&rest, &n) && rest.len == 0) {
        add(n);
        ret->val = reply_u64(count);
    } else if (is(variant, "SumOf") && take_string(&rest, &text) && rest.len == 0 && sum_of(&text, &n)) {
        ret->val = reply_u64(n);
    } else if (is(variant, "Name") && rest.len == 0) {
        string_t name = {NULL, 0};
        ractor_actor_identity_self_name(&name);
        ret->val = (bytes_t){name.ptr, name.len};
    } else {
        // No reply, and the caller is told so at once.
        warn("dropped a call that it can't answer");
        ractor_actor_messaging_drop_call(reply_to);
        ret->is_some = false;
    }
    guest_actor_string_free(variant);
    guest_actor_list_u8_free(args);
    return true;
}

bool exports_ractor_actor_actor_post_start(string_t *err) {
    (void)err;
    return true;
}

bool exports_ractor_actor_actor_handle_supervisor_evt(exports_ractor_actor_actor_supervision_event_t *event,
                                                      string_t *err) {
    (void)err;
    exports_ractor_actor_actor_supervision_event_free(event);
    return true;
}

bool exports_ractor_actor_actor_post_stop(string_t *err) {
    (void)err;
    return true;
}

// What tools and people see of it. `reply` is NULL for a cast.
struct message {
    const char *name, *arguments[2], *reply;
};

static const struct message MESSAGES[] = {
    {"Add", {"u64"}, NULL},
    {"Get", {NULL}, "u64"},
    {"AddAndGet", {"u64"}, "u64"},
    {"SumOf", {"String"}, "u64"},
    {"AddTo", {"String", "u64"}, NULL},
    {"Name", {NULL}, "String"},
    {"Crash", {"String"}, NULL},
};

void exports_ractor_actor_actor_describe(exports_ractor_actor_actor_descriptor_t *ret) {
    guest_actor_string_dup(&ret->name, "Counter");
    guest_actor_string_dup(&ret->version, "0.1.0");
    ret->state_version = 0;
    ret->arguments.is_some = true;
    guest_actor_string_dup(&ret->arguments.val, "u64");
    ret->messages.len = sizeof MESSAGES / sizeof *MESSAGES;
    ret->messages.ptr = calloc(ret->messages.len, sizeof *ret->messages.ptr);
    for (size_t i = 0; i < ret->messages.len; i++) {
        const struct message *from = &MESSAGES[i];
        exports_ractor_actor_actor_message_variant_t *to = &ret->messages.ptr[i];
        guest_actor_string_dup(&to->name, from->name);
        while (to->arguments.len < 2 && from->arguments[to->arguments.len] != NULL) to->arguments.len++;
        if (to->arguments.len > 0) to->arguments.ptr = calloc(to->arguments.len, sizeof *to->arguments.ptr);
        for (size_t j = 0; j < to->arguments.len; j++)
            guest_actor_string_dup(&to->arguments.ptr[j], from->arguments[j]);
        to->reply.is_some = from->reply != NULL;
        if (to->reply.is_some) guest_actor_string_dup(&to->reply.val, from->reply);
    }
}
