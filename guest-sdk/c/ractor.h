// Actors in C and C++ for a ractor-host node. Include this, compile ractor.c beside your file, and read docs/guests/c.md, which
// begins with five minutes of how to.
//
//     #include "ractor.h"
//
//     typedef struct { uint64_t count; } Counter;
//     #define STATE(FIELD) FIELD(u64, count)
//     #define MESSAGES(CAST, CALL) CAST(add, (u64, n)) CALL(get, u64)
//     RACTOR_ACTOR(Counter, (u64, count), MESSAGES, STATE)
//
//     static ractor_status pre_start(Counter *self, uint64_t count) { self->count = count; return RACTOR_OK; }
//     static ractor_status on_add(Counter *self, uint64_t n) { self->count += n; return RACTOR_OK; }
//     static ractor_status on_get(Counter *self, uint64_t *reply) { *reply = self->count; return RACTOR_OK; }
//
// One instance is one actor, and it does one thing at a time. Whatever a function below hands out (texts, bytes, lists, messages)
// stays valid until the present handler returns, and is never freed by you; `ractor_keep` makes a copy that stays.
#ifndef RACTOR_H
#define RACTOR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
#define RACTOR_EXTERN extern "C"
extern "C" {
#else
#define RACTOR_EXTERN extern
#endif

// ---- Values -----------------------------------------------------------------------------------------------------------------

// Bytes that somebody else owns.
typedef struct ractor_bytes {
    const uint8_t *ptr;
    size_t len;
} ractor_bytes;

// A text in UTF-8 that somebody else owns. No zero byte ends it.
typedef struct ractor_str {
    const char *ptr;
    size_t len;
} ractor_str;

__extension__ typedef unsigned __int128 ractor_u128;
__extension__ typedef __int128 ractor_i128;

// A Unicode scalar value.
typedef uint32_t ractor_char;

// The address of an actor. It means something on this node only: see `ractor_address`.
typedef struct ractor_pid {
    uint64_t node, id;
} ractor_pid;

typedef struct ractor_pids {
    const ractor_pid *items;
    size_t count;
} ractor_pids;

typedef struct ractor_strs {
    const ractor_str *items;
    size_t count;
} ractor_strs;

// A text from a literal, and one from a C string.
#ifdef __cplusplus
#define RACTOR_STR(literal) (ractor_str{"" literal, sizeof(literal) - 1})
#else
#define RACTOR_STR(literal) ((ractor_str){"" literal, sizeof(literal) - 1})
#endif
static inline ractor_str ractor_text(const char *text) {
    ractor_str made = {text, strlen(text)};
    return made;
}
bool ractor_equal(ractor_str one, const char *other);
// A text with a zero byte at its end, for functions of C.
const char *ractor_cstr(ractor_str text);
// A text as printf writes it.
ractor_str ractor_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
// Memory until the present handler returns, zeroed. There is no failure to check for: without memory, the actor ends.
void *ractor_alloc(size_t bytes);
// For printf: `printf("%.*s", RACTOR_PRINT(text))`.
#define RACTOR_PRINT(text) (int)(text).len, (text).ptr

// ---- Types ------------------------------------------------------------------------------------------------------------------
//
// docs/types.md names them. A table below writes them as u8 … u128, i8 … i128, f32, f64, bool, char, string, bytes, unit, and
// list_u16 … list_char; `RACTOR_PROTOBUF`, `RACTOR_JSON`, `RACTOR_LIST`, `RACTOR_OPTION` and `RACTOR_MAP` declare more. The type T of a
// table is `ractor_c_T` in C.

typedef struct ractor_type ractor_type;
typedef struct ractor_buffer ractor_buffer;
typedef struct ractor_reader ractor_reader;

// What the library knows of a type.
struct ractor_type {
    // Its name, or the name up to the `<` behind which those of `key` and `inner` follow.
    const char *name;
    // Its size in memory; on the wire, if that is fixed; and of an option or the entry of a map, where the value is.
    size_t size, wire, offset, stride;
    const ractor_type *key, *inner;
    // From and to the bytes of an argument or a reply. NULL if messages can't have this type.
    bool (*decode)(const ractor_type *type, ractor_bytes from, void *to);
    bool (*encode)(const ractor_type *type, const void *from, ractor_buffer *to);
    // From and to the JSON of a portable state. What is read is from `malloc`.
    bool (*read)(const ractor_type *type, ractor_reader *from, void *to);
    bool (*write)(const ractor_type *type, const void *from, ractor_buffer *to);
};

// The name of a type, e.g. `map<string, u64>`.
ractor_str ractor_type_name(const ractor_type *type);
// The bytes of a value, as an argument or a reply has them; and the value of bytes. False if a text is no UTF-8, or they don't fit.
bool ractor_encode(const ractor_type *type, const void *value, ractor_bytes *bytes);
bool ractor_decode(const ractor_type *type, ractor_bytes bytes, void *value);

#define RACTOR_LIST_STRUCT_(name, T) \
    typedef struct name { \
        const T *items; \
        size_t count; \
    } name;

typedef uint8_t ractor_c_u8;
typedef uint16_t ractor_c_u16;
typedef uint32_t ractor_c_u32;
typedef uint64_t ractor_c_u64;
typedef ractor_u128 ractor_c_u128;
typedef int8_t ractor_c_i8;
typedef int16_t ractor_c_i16;
typedef int32_t ractor_c_i32;
typedef int64_t ractor_c_i64;
typedef ractor_i128 ractor_c_i128;
typedef float ractor_c_f32;
typedef double ractor_c_f64;
typedef bool ractor_c_bool;
typedef ractor_char ractor_c_char;
typedef ractor_str ractor_c_string;
typedef ractor_bytes ractor_c_bytes;
typedef uint8_t ractor_c_unit;

// Each scalar of lists, as X(name, its C type).
#define RACTOR_EACH_ELEMENT_(X) \
    X(u16, uint16_t) X(u32, uint32_t) X(u64, uint64_t) X(u128, ractor_u128) X(i8, int8_t) X(i16, int16_t) X(i32, int32_t) \
    X(i64, int64_t) X(i128, ractor_i128) X(f32, float) X(f64, double) X(char, ractor_char)
#define RACTOR_DECLARE_LIST_(T, C) \
    RACTOR_LIST_STRUCT_(ractor_list_##T, C) \
    typedef ractor_list_##T ractor_c_list_##T; \
    extern const ractor_type ractor_type_##T, ractor_type_list_##T;
RACTOR_EACH_ELEMENT_(RACTOR_DECLARE_LIST_)
RACTOR_LIST_STRUCT_(ractor_list_bool, bool)
typedef ractor_list_bool ractor_c_list_bool;
RACTOR_LIST_STRUCT_(ractor_list_string, ractor_str)
typedef ractor_list_string ractor_c_list_string;
RACTOR_LIST_STRUCT_(ractor_list_bytes, ractor_bytes)
typedef ractor_list_bytes ractor_c_list_bytes;
extern const ractor_type ractor_type_u8, ractor_type_bool, ractor_type_list_bool, ractor_type_string, ractor_type_bytes, ractor_type_unit;
// In states only.
extern const ractor_type ractor_type_list_string, ractor_type_list_bytes;
// stdbool.h makes `bool` a macro before C23, and macros see through it.
typedef ractor_c_bool ractor_c__Bool;
#define ractor_type__Bool ractor_type_bool

bool ractor_decode_protobuf_(const ractor_type *type, ractor_bytes from, void *to);
bool ractor_encode_protobuf_(const ractor_type *type, const void *from, ractor_buffer *to);
bool ractor_decode_json_(const ractor_type *type, ractor_bytes from, void *to);
bool ractor_encode_json_(const ractor_type *type, const void *from, ractor_buffer *to);
bool ractor_decode_bytes_(const ractor_type *type, ractor_bytes from, void *to);
bool ractor_encode_bytes_(const ractor_type *type, const void *from, ractor_buffer *to);
bool ractor_read_bytes_(const ractor_type *type, ractor_reader *from, void *to);
bool ractor_write_bytes_(const ractor_type *type, const void *from, ractor_buffer *to);
bool ractor_read_json_(const ractor_type *type, ractor_reader *from, void *to);
bool ractor_write_json_(const ractor_type *type, const void *from, ractor_buffer *to);
bool ractor_read_list_(const ractor_type *type, ractor_reader *from, void *to);
bool ractor_write_list_(const ractor_type *type, const void *from, ractor_buffer *to);
bool ractor_read_option_(const ractor_type *type, ractor_reader *from, void *to);
bool ractor_write_option_(const ractor_type *type, const void *from, ractor_buffer *to);
bool ractor_read_map_(const ractor_type *type, ractor_reader *from, void *to);
bool ractor_write_map_(const ractor_type *type, const void *from, ractor_buffer *to);

#define RACTOR_UNUSED_ __attribute__((unused))
// Declares the type `T`, a message of protobuf: its bytes, which you encode and decode with whatever library you like. `name` is that
// of the message, as in "shop.Order".
#define RACTOR_PROTOBUF(T, message) \
    typedef ractor_bytes ractor_c_##T; \
    RACTOR_UNUSED_ static const ractor_type ractor_type_##T = {"protobuf<" message ">", sizeof(ractor_bytes), 0, 0, 0, NULL, NULL, \
        ractor_decode_protobuf_, ractor_encode_protobuf_, ractor_read_bytes_, ractor_write_bytes_};
// The same of a JSON text. What comes in and goes out is UTF-8; whether it is JSON is for your parser to tell.
#define RACTOR_JSON(T, named) \
    typedef ractor_str ractor_c_##T; \
    RACTOR_UNUSED_ static const ractor_type ractor_type_##T = {"json<" named ">", sizeof(ractor_str), 0, 0, 0, NULL, NULL, \
        ractor_decode_json_, ractor_encode_json_, ractor_read_json_, ractor_write_json_};
// The same of bytes whose meaning is a matter of the type `named`, e.g. "opaque<shop.Basket>" or "pot<Order>".
#define RACTOR_OPAQUE(T, named) \
    typedef ractor_bytes ractor_c_##T; \
    RACTOR_UNUSED_ static const ractor_type ractor_type_##T = {named, sizeof(ractor_bytes), 0, 0, 0, NULL, NULL, \
        ractor_decode_bytes_, ractor_encode_bytes_, ractor_read_bytes_, ractor_write_bytes_};
// Declares `list_T`, in states: {items, count}.
#define RACTOR_LIST(T) \
    RACTOR_LIST_STRUCT_(ractor_list_##T, ractor_c_##T) \
    typedef ractor_list_##T ractor_c_list_##T; \
    RACTOR_UNUSED_ static const ractor_type ractor_type_list_##T = {"list<", sizeof(ractor_list_##T), 0, 0, sizeof(ractor_c_##T), NULL, \
        &ractor_type_##T, NULL, NULL, ractor_read_list_, ractor_write_list_};
// Declares `option_T`, in states: {some, value}.
#define RACTOR_OPTION(T) \
    typedef struct ractor_option_##T { \
        bool some; \
        ractor_c_##T value; \
    } ractor_option_##T; \
    typedef ractor_option_##T ractor_c_option_##T; \
    RACTOR_UNUSED_ static const ractor_type ractor_type_option_##T = {"option<", sizeof(ractor_option_##T), 0, \
        offsetof(ractor_option_##T, value), 0, NULL, &ractor_type_##T, NULL, NULL, ractor_read_option_, ractor_write_option_};
// Declares `map_K_V`, in states: {items, count} of {key, value}, in any order.
#define RACTOR_MAP(K, V) \
    typedef struct ractor_entry_##K##_##V { \
        ractor_c_##K key; \
        ractor_c_##V value; \
    } ractor_entry_##K##_##V; \
    RACTOR_LIST_STRUCT_(ractor_map_##K##_##V, ractor_entry_##K##_##V) \
    typedef ractor_map_##K##_##V ractor_c_map_##K##_##V; \
    RACTOR_UNUSED_ static const ractor_type ractor_type_map_##K##_##V = {"map<", sizeof(ractor_map_##K##_##V), 0, \
        offsetof(ractor_entry_##K##_##V, value), sizeof(ractor_entry_##K##_##V), &ractor_type_##K, &ractor_type_##V, NULL, NULL, \
        ractor_read_map_, ractor_write_map_};

// ---- Values that stay ---------------------------------------------------------------------------------------------------------

// Puts a copy of a text or of bytes into a field of the state, and frees what was there. The field was zero at first.
void ractor_keep_str(ractor_str *field, ractor_str value);
void ractor_keep_bytes(ractor_bytes *field, ractor_bytes value);
// Makes the array of a list in the state one longer, and says where the new element is: `RACTOR_PUSH` does the rest. The array comes
// from `malloc` and nobody else makes it longer.
void *ractor_grow_(void *items, size_t *count, size_t size);
#define RACTOR_PUSH(T, list, value) (*(ractor_c_##T *)ractor_grow_(&(list)->items, &(list)->count, sizeof(ractor_c_##T)) = (value))

// ---- Errors -------------------------------------------------------------------------------------------------------------------

// Why something was not done. docs/guests/c.md says which function gives which.
typedef enum ractor_error_kind {
    RACTOR_NO_ERROR,
    RACTOR_UNKNOWN_ACTOR,
    RACTOR_STOPPED,
    RACTOR_TOO_LARGE,
    RACTOR_TIMEOUT,
    RACTOR_NO_REPLY,
    RACTOR_WOULD_DEADLOCK,
    RACTOR_OVERLOADED,
    RACTOR_DENIED,
    RACTOR_FAILED_CALL,
    RACTOR_TOO_MANY,
    RACTOR_UNKNOWN_MODULE,
    RACTOR_NAME_TAKEN,
    RACTOR_UNKNOWN_CALL,
    RACTOR_TOO_LATE,
    // A text that is not UTF-8 was about to go out, or a reply came that doesn't decode. `reason` says more.
    RACTOR_INVALID,
} ractor_error_kind;

typedef struct ractor_error {
    ractor_error_kind kind;
    // What the other actor said, of RACTOR_FAILED_CALL; or what is wrong, of RACTOR_INVALID. Else empty.
    ractor_str reason;
} ractor_error;

// The word for an error, e.g. `would-deadlock`; and that with its reason, e.g. `failed: no soup`.
ractor_str ractor_error_word(ractor_error error);
ractor_str ractor_error_text(ractor_error error);

// What a handler returns.
typedef enum ractor_status {
    // Done. Of a call, `*reply` is the reply.
    RACTOR_OK,
    // Of a call: the reply comes later, by `NAME_reply_MESSAGE`, `ractor_fail_call` or `ractor_drop_call`, or was given already.
    RACTOR_LATER,
    // Not done: it goes on in a function that it gave to `NAME_ask_MESSAGE` or `ractor_wake_after`, which returns this again or another
    // status. Other messages wait meanwhile, unless the actor is `reentrant`. Of a call, the reply comes later.
    RACTOR_PENDING,
    // What `ractor_fail` returns. A call fails, and the actor lives on; in every other place the actor fails.
    RACTOR_FAILED,
} ractor_status;

// Says why, as printf does, and returns RACTOR_FAILED: `return ractor_fail("no soup for %d", n);`.
ractor_status ractor_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
// The same of an error that some function gave.
ractor_status ractor_fail_with(const char *what, ractor_error error);

// ---- Messages to others ---------------------------------------------------------------------------------------------------------

#define RACTOR_ARGUMENTS 8 // The most that a message may have.

typedef struct ractor_parameter {
    const char *name;
    const ractor_type *type;
} ractor_parameter;

// A row of a table of messages.
typedef struct ractor_message {
    // As the source has it. The tag is made from it: `add_all` and `AddAll` are `AddAll`.
    const char *name;
    // The tag, if the source says another one, or NULL.
    const char *tag;
    const char *documentation;
    // Up to one without a type.
    const ractor_parameter *parameters;
    // NULL if this is a cast.
    const ractor_type *reply;
} ractor_message;

// A message that was made, by `NAME_MESSAGE(arguments…)`.
typedef struct ractor_sendable {
    ractor_str tag;
    ractor_bytes arguments;
    // What is wrong with an argument, or empty. Sending it gives RACTOR_INVALID.
    ractor_str fault;
} ractor_sendable;

ractor_sendable ractor_make(const ractor_message *message, const void *const *values);

// The mailbox of this actor took the message, or the one of another node will.
ractor_error ractor_cast(ractor_pid to, ractor_sendable message);
// As `NAME_call_MESSAGE` and `NAME_ask_MESSAGE` do, with a reply of bytes.
ractor_error ractor_call(ractor_pid to, ractor_sendable message, uint64_t timeout_ms, const ractor_type *type, void *reply);

// Waiting without a limit of one's own: the node has one.
#define RACTOR_FOREVER UINT64_MAX

// The number of something that is waited for, or of a timer; 0 for none.
typedef uint64_t ractor_token;
// A call that is not answered yet.
typedef uint64_t ractor_open_call;

typedef void (*ractor_function_)(void);
typedef ractor_status (*ractor_then_)(ractor_function_ then, void *context, ractor_error error, const void *reply);
ractor_error ractor_ask_(ractor_pid to, ractor_sendable message, uint64_t timeout_ms, const ractor_type *type, ractor_then_ adapter,
    ractor_function_ then, void *context, ractor_token *token);
// Gives up waiting: the function won't be called. False if it was already.
bool ractor_give_up(ractor_token token);

// The call that is being handled, to be answered later.
ractor_open_call ractor_this_call(void);
ractor_error ractor_reply_(ractor_open_call call, const ractor_type *type, const void *value);
void ractor_fail_call(ractor_open_call call, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ractor_drop_call(ractor_open_call call);
// False if the caller gave up: then a reply is not worth computing.
bool ractor_is_waiting(ractor_open_call call);
// What came with the present message. False if nothing did.
bool ractor_metadata(ractor_bytes *metadata);

// A place in a trace, in the texts of W3C Trace Context: `traceparent`, and `tracestate`, which may be empty.
typedef struct ractor_trace {
    ractor_str parent;
    ractor_str state;
} ractor_trace;
// The span of the present handler. What the handler sends to actors carries it anyway. False if the node doesn't trace, or nothing that is
// traced has led here.
bool ractor_trace_context(ractor_trace *trace);

// ---- Actors, groups, timers -------------------------------------------------------------------------------------------------------

ractor_pid ractor_self(void);
// False if it has no name.
bool ractor_self_name(ractor_str *name);
// The full name of this node, `name@hostname`.
ractor_str ractor_node(void);
static inline bool ractor_same(ractor_pid one, ractor_pid other) { return one.node == other.node && one.id == other.id; }

bool ractor_where_is(ractor_str name, ractor_pid *found);
// An actor as bytes that mean the same one on every node, and back. False if its node isn't connected, or these are no address.
bool ractor_address(ractor_pid actor, ractor_bytes *address);
bool ractor_resolve(ractor_bytes address, ractor_pid *actor);

// Groups of the default scope, and of another one: `scope` is NULL for the default.
void ractor_join_in(const ractor_str *scope, ractor_str group);
void ractor_leave_in(const ractor_str *scope, ractor_str group);
ractor_pids ractor_members_in(const ractor_str *scope, ractor_str group);
ractor_pids ractor_local_members_in(const ractor_str *scope, ractor_str group);
ractor_strs ractor_groups_in(const ractor_str *scope);
void ractor_monitor_group_in(const ractor_str *scope, ractor_str group);
void ractor_demonitor_group_in(const ractor_str *scope, ractor_str group);
static inline void ractor_join(ractor_str group) { ractor_join_in(NULL, group); }
static inline void ractor_leave(ractor_str group) { ractor_leave_in(NULL, group); }
static inline ractor_pids ractor_members(ractor_str group) { return ractor_members_in(NULL, group); }
static inline ractor_pids ractor_local_members(ractor_str group) { return ractor_local_members_in(NULL, group); }
static inline void ractor_monitor_group(ractor_str group) { ractor_monitor_group_in(NULL, group); }
static inline void ractor_demonitor_group(ractor_str group) { ractor_demonitor_group_in(NULL, group); }

// Timers. `timer` may be NULL.
ractor_error ractor_send_after(ractor_pid to, ractor_sendable message, uint64_t delay_ms, ractor_token *timer);
ractor_error ractor_send_interval(ractor_pid to, ractor_sendable message, uint64_t period_ms, ractor_token *timer);
ractor_error ractor_stop_after(uint64_t delay_ms, ractor_token *timer);
// Calls a function after a while, also while a handler is pending: a sleep, and what comes after it.
ractor_error ractor_wake_after(uint64_t delay_ms, ractor_status (*then)(void *context), void *context, ractor_token *timer);
// Ends a timer. False if it has ended already.
bool ractor_cancel_timer(ractor_token timer);

// ---- Life -------------------------------------------------------------------------------------------------------------------------

typedef enum ractor_restart { RACTOR_TEMPORARY, RACTOR_TRANSIENT, RACTOR_PERMANENT } ractor_restart;

typedef struct ractor_child {
    // The name of its module in node.toml.
    ractor_str module;
    // Its name, or empty for none.
    ractor_str name;
    // Its start argument, made by `ractor_encode(&ractor_type_u64, &n, &child.arguments)`, or nothing.
    ractor_bytes arguments;
    ractor_strs groups;
    ractor_restart restart;
} ractor_child;

ractor_error ractor_spawn(ractor_child child, ractor_pid *pid);
ractor_pids ractor_children(void);
bool ractor_supervisor(ractor_pid *supervisor);
// Ends this actor once the present message is handled. `reason` may be empty, here and below.
void ractor_stop(ractor_str reason);
// Fails this actor at once.
__attribute__((noreturn)) void ractor_exit(ractor_str reason);
bool ractor_stop_child(ractor_pid child, ractor_str reason);
bool ractor_kill_child(ractor_pid child);
ractor_error ractor_monitor(ractor_pid actor);
void ractor_demonitor(ractor_pid actor);

typedef enum ractor_event_kind { RACTOR_STARTED, RACTOR_TERMINATED, RACTOR_ACTOR_FAILED, RACTOR_GROUP_CHANGED } ractor_event_kind;

// News of a child, or of an actor or a group that is monitored.
typedef struct ractor_event {
    ractor_event_kind kind;
    // The actor, unless a group changed. `name` and `reason` are NULL if there is none.
    ractor_pid actor;
    const ractor_str *name, *reason;
    // The group that changed. `scope` is NULL for the default one.
    const ractor_str *scope;
    ractor_str group;
    bool joined;
    ractor_pids actors;
} ractor_event;

// ---- The rest of the node ---------------------------------------------------------------------------------------------------------

typedef struct ractor_setting {
    ractor_str key, value;
} ractor_setting;

typedef struct ractor_settings {
    const ractor_setting *items;
    size_t count;
} ractor_settings;

// From the table `[actors.config]` of node.toml. False if there is no such key.
bool ractor_config(ractor_str key, ractor_str *value);
ractor_settings ractor_config_entries(void);

typedef enum ractor_level { RACTOR_TRACE, RACTOR_DEBUG, RACTOR_INFO, RACTOR_WARN, RACTOR_ERROR } ractor_level;

// One event in the log of the node. What is no UTF-8 is replaced. printf writes there, too, line by line.
void ractor_log(ractor_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ractor_log_with(ractor_level level, ractor_str message, ractor_settings fields);

// From the generator of the node, which no other instance shares.
void ractor_random(void *bytes, size_t count);
uint64_t ractor_random_u64(void);

// ---- Declaring an actor -------------------------------------------------------------------------------------------------------------

typedef struct ractor_field {
    // As `ractor_message` has it, with small letters: `lastSeen` is `last_seen`.
    const char *name, *tag;
    const ractor_type *type;
    size_t offset;
    // Its value where a state doesn't have it, or NULL.
    const void *fallback;
} ractor_field;

typedef struct ractor_handler {
    const ractor_message *message;
    ractor_status (*run)(void *self, void *const *values, void *reply);
} ractor_handler;

typedef enum ractor_failed_cast { RACTOR_FAIL_ACTOR, RACTOR_LOG_AND_GO_ON } ractor_failed_cast;

// A definition of types that have names.
typedef struct ractor_schema {
    const char *name, *format;
    ractor_bytes bytes;
} ractor_schema;

// All that there is to say of an actor. RACTOR_ACTOR makes one from its options.
typedef struct ractor_actor {
    const char *name, *version, *documentation;
    uint32_t state_version;
    ractor_failed_cast failed_casts;
    bool reentrant;
    // The state, and its size.
    void *self;
    size_t size;
    const ractor_parameter *start;
    const ractor_handler *handlers;
    size_t handler_count;
    const ractor_field *fields;
    size_t field_count;
    const ractor_schema *schemas;
    size_t schema_count;
    ractor_status (*pre_start)(void *self, const void *argument);
    ractor_status (*post_start)(void *self);
    ractor_status (*post_stop)(void *self);
    ractor_status (*on_event)(void *self, const ractor_event *event);
    ractor_status (*post_reload)(void *self);
    // In place of the portable state of the fields.
    ractor_status (*snapshot)(void *self, ractor_bytes *state);
    ractor_status (*restore)(void *self, ractor_bytes state, uint32_t version);
} ractor_actor;

// RACTOR_ACTOR defines it.
const ractor_actor *ractor_the_actor(void);

// The portable state of fields, for a `snapshot` and a `restore` of one's own. `ractor_fail` has said what is wrong with it.
ractor_status ractor_write_state(const void *self, const ractor_field *fields, size_t count, ractor_bytes *state);
ractor_status ractor_read_state(void *self, const ractor_field *fields, size_t count, ractor_bytes state);
// The state of the actor itself.
ractor_status ractor_portable_snapshot(ractor_bytes *state);
ractor_status ractor_portable_restore(ractor_bytes state);

#ifdef __cplusplus
}
#endif

// ---- The tables -----------------------------------------------------------------------------------------------------------------
//
// A table of messages has a row `CAST(name, …)` or `CALL(name, reply type, …)` for each, in which `…` is documentation, if you like, and
// then up to eight arguments `(type, name)`:
//
//     #define MESSAGES(CAST, CALL) CAST(add, "Adds to the count.", (u64, n)) CALL(get, u64)
//
// A table of fields has a row `FIELD(type, name)` or `FIELD(type, name, value where a state lacks it)`. For another tag than the one
// that a name makes, write `(name, "tag")` for the name.

#define RACTOR_GLUE_(a, b) a##b
#define RACTOR_GLUE(a, b) RACTOR_GLUE_(a, b)
#define RACTOR_STRING_(a) #a
#define RACTOR_STRING(a) RACTOR_STRING_(a)
#define RACTOR_PROBE_(...) ~, 1
#define RACTOR_CHOSEN_(a, b, ...) b
#define RACTOR_CHOSEN(...) RACTOR_CHOSEN_(__VA_ARGS__)
// 1 if `x` is something in parentheses, else 0; 1 if `T` is the type `unit`, else 0.
#define RACTOR_IS_PAREN(x) RACTOR_CHOSEN(RACTOR_PROBE_ x, 0, ~)
#define RACTOR_PROBE_unit RACTOR_PROBE_()
#define RACTOR_IS_UNIT(T) RACTOR_CHOSEN(RACTOR_GLUE(RACTOR_PROBE_, T), 0, ~)
#define RACTOR_IF_0(...)
#define RACTOR_IF_1(...) __VA_ARGS__
#define RACTOR_UNLESS_0(...) __VA_ARGS__
#define RACTOR_UNLESS_1(...)
#define RACTOR_IF(condition) RACTOR_GLUE(RACTOR_IF_, condition)
#define RACTOR_UNLESS(condition) RACTOR_GLUE(RACTOR_UNLESS_, condition)
#define RACTOR_UNLESS_UNIT(T) RACTOR_UNLESS(RACTOR_IS_UNIT(T))
#define RACTOR_FIRST_OF_(a, ...) a
#define RACTOR_SECOND_OF_(a, b) b
// The name, and the tag, of `name` or `(name, "tag")`.
#define RACTOR_ID(x) RACTOR_IF(RACTOR_IS_PAREN(x))(RACTOR_FIRST_OF_ x) RACTOR_UNLESS(RACTOR_IS_PAREN(x))(x)
#define RACTOR_TAG(x) RACTOR_IF(RACTOR_IS_PAREN(x))(RACTOR_SECOND_OF_ x) RACTOR_UNLESS(RACTOR_IS_PAREN(x))(NULL)
// The documentation among what follows a name.
#define RACTOR_DOC_(first, ...) RACTOR_IF(RACTOR_IS_PAREN(first))("") RACTOR_UNLESS(RACTOR_IS_PAREN(first))(first)
#define RACTOR_DOC(...) RACTOR_DOC_(__VA_ARGS__ __VA_OPT__(, ) (), ~)

// Macro(type, name) for each argument, and nothing for the documentation.
#define RACTOR_COUNT_(_1, _2, _3, _4, _5, _6, _7, _8, _9, n, ...) n
#define RACTOR_EACH_1(M, a) RACTOR_IF(RACTOR_IS_PAREN(a))(M a)
#define RACTOR_EACH_2(M, a, ...) RACTOR_EACH_1(M, a) RACTOR_EACH_1(M, __VA_ARGS__)
#define RACTOR_EACH_3(M, a, ...) RACTOR_EACH_1(M, a) RACTOR_EACH_2(M, __VA_ARGS__)
#define RACTOR_EACH_4(M, a, ...) RACTOR_EACH_1(M, a) RACTOR_EACH_3(M, __VA_ARGS__)
#define RACTOR_EACH_5(M, a, ...) RACTOR_EACH_1(M, a) RACTOR_EACH_4(M, __VA_ARGS__)
#define RACTOR_EACH_6(M, a, ...) RACTOR_EACH_1(M, a) RACTOR_EACH_5(M, __VA_ARGS__)
#define RACTOR_EACH_7(M, a, ...) RACTOR_EACH_1(M, a) RACTOR_EACH_6(M, __VA_ARGS__)
#define RACTOR_EACH_8(M, a, ...) RACTOR_EACH_1(M, a) RACTOR_EACH_7(M, __VA_ARGS__)
#define RACTOR_EACH_9(M, a, ...) RACTOR_EACH_1(M, a) RACTOR_EACH_8(M, __VA_ARGS__)
#define RACTOR_EACH(M, ...) \
    __VA_OPT__(RACTOR_GLUE(RACTOR_EACH_, RACTOR_COUNT_(__VA_ARGS__, 9, 8, 7, 6, 5, 4, 3, 2, 1, ~))(M, __VA_ARGS__))

#define RACTOR_ROW(T, n) {#n, &ractor_type_##T},
#define RACTOR_PARAMETER(T, n) , ractor_c_##T n
#define RACTOR_ADDRESS(T, n) &n,
#define RACTOR_LOCAL(T, n) ractor_c_##T n = *(const ractor_c_##T *)*ractor_values++;
#define RACTOR_PASS(T, n) , n
#define RACTOR_C_TYPE(T) RACTOR_GLUE(ractor_c_, T)
#define RACTOR_TYPE(T) RACTOR_GLUE(ractor_type_, T)
// The parameters of a function that has no others: without the comma in front, and `void` if there are none.
#define RACTOR_ONLY(...) RACTOR_ONLY_(__VA_ARGS__)
#define RACTOR_ONLY_(none, ...) __VA_ARGS__ RACTOR_GLUE(RACTOR_VOID_IF_, __VA_OPT__(NOT_)##NONE)
#define RACTOR_VOID_IF_NONE void
#define RACTOR_VOID_IF_NOT_NONE

// ---- Talking to an actor: RACTOR_CLIENT(its table) -------------------------------------------------------------------------------
//
//     ractor_sendable make_NAME(arguments…)                                for ractor_cast, ractor_send_after and so on
//     ractor_error call_NAME(pid, arguments…, timeout_ms, &reply)          waits; other messages wait, too
//     ractor_error ask_NAME(pid, arguments…, timeout_ms, function, context)
//
// Of the last, `function` is `ractor_status (*)(void *context, ractor_error error, reply type reply)`, which is called once, later,
// unless there is an error at once; the reply is zero if there is an error. Replies of type `unit` are left out everywhere.

// What the names of these functions begin with. For clients of two actors that share names of messages, define it anew around each.
#define RACTOR_PREFIX
#define RACTOR_PREFIXED(verb, N) RACTOR_GLUE(RACTOR_PREFIX, RACTOR_GLUE(verb, RACTOR_ID(N)))
#define RACTOR_ROW_OF(N) RACTOR_PREFIXED(ractor_row_, N)

#define RACTOR_DESCRIBE_(N, reply, ...) \
    RACTOR_UNUSED_ static const ractor_parameter RACTOR_PREFIXED(ractor_parameters_, N)[] = { \
        RACTOR_EACH(RACTOR_ROW, __VA_ARGS__){NULL, NULL}}; \
    RACTOR_UNUSED_ static const ractor_message RACTOR_ROW_OF(N) = {RACTOR_STRING(RACTOR_ID(N)), RACTOR_TAG(N), RACTOR_DOC(__VA_ARGS__), \
        RACTOR_PREFIXED(ractor_parameters_, N), reply}; \
    RACTOR_UNUSED_ static ractor_sendable RACTOR_PREFIXED(make_, N)(RACTOR_ONLY(RACTOR_EACH(RACTOR_PARAMETER, __VA_ARGS__))) { \
        const void *const ractor_values[] = {RACTOR_EACH(RACTOR_ADDRESS, __VA_ARGS__) NULL}; \
        return ractor_make(&RACTOR_ROW_OF(N), ractor_values); \
    }
#define RACTOR_CLIENT_CAST(N, ...) RACTOR_DESCRIBE_(N, NULL, __VA_ARGS__)
#define RACTOR_CLIENT_CALL(N, R, ...) \
    RACTOR_DESCRIBE_(N, &RACTOR_TYPE(R), __VA_ARGS__) \
    RACTOR_UNUSED_ static ractor_error RACTOR_PREFIXED(call_, N)(ractor_pid ractor_to RACTOR_EACH(RACTOR_PARAMETER, __VA_ARGS__), \
        uint64_t ractor_timeout_ms RACTOR_UNLESS_UNIT(R)(, RACTOR_C_TYPE(R) *ractor_reply)) { \
        const void *const ractor_values[] = {RACTOR_EACH(RACTOR_ADDRESS, __VA_ARGS__) NULL}; \
        return ractor_call(ractor_to, ractor_make(&RACTOR_ROW_OF(N), ractor_values), ractor_timeout_ms, &RACTOR_TYPE(R), \
            RACTOR_IF(RACTOR_IS_UNIT(R))(NULL) RACTOR_UNLESS_UNIT(R)(ractor_reply)); \
    } \
    typedef ractor_status (*RACTOR_PREFIXED(ractor_then_, N))(void *, ractor_error RACTOR_UNLESS_UNIT(R)(, RACTOR_C_TYPE(R))); \
    RACTOR_UNUSED_ static ractor_status RACTOR_PREFIXED(ractor_adapt_, N)(ractor_function_ then, void *context, ractor_error error, \
        const void *reply) { \
        (void)reply; \
        return ((RACTOR_PREFIXED(ractor_then_, N))then)(context, error RACTOR_UNLESS_UNIT(R)(, *(const RACTOR_C_TYPE(R) *)reply)); \
    } \
    RACTOR_UNUSED_ static ractor_error RACTOR_PREFIXED(ask_, N)(ractor_pid ractor_to RACTOR_EACH(RACTOR_PARAMETER, __VA_ARGS__), \
        uint64_t ractor_timeout_ms, RACTOR_PREFIXED(ractor_then_, N) ractor_then, void *ractor_context, ractor_token *ractor_asked) { \
        const void *const ractor_values[] = {RACTOR_EACH(RACTOR_ADDRESS, __VA_ARGS__) NULL}; \
        return ractor_ask_(ractor_to, ractor_make(&RACTOR_ROW_OF(N), ractor_values), ractor_timeout_ms, &RACTOR_TYPE(R), \
            RACTOR_PREFIXED(ractor_adapt_, N), (ractor_function_)ractor_then, ractor_context, ractor_asked); \
    }
#define RACTOR_CLIENT(MESSAGES) MESSAGES(RACTOR_CLIENT_CAST, RACTOR_CLIENT_CALL)

// ---- Being an actor: RACTOR_ACTOR(State, (type, name) of the start argument, messages, fields, options…) --------------------------
//
// Declares what you then write:
//
//     static ractor_status pre_start(State *self, start argument)
//     static ractor_status on_NAME(State *self, arguments…)                of a cast
//     static ractor_status on_NAME(State *self, arguments…, *reply)        of a call
//
// and defines `ractor_error reply_NAME(ractor_open_call, reply)` for calls that are answered later, and the RACTOR_CLIENT of the table. The
// state begins as zeros. The options are members of `ractor_options`, e.g. `.version = "1.2.0", .on_event = on_event`.

// For an actor without a start argument, and for one whose state has no field that stays.
#define RACTOR_NO_START (unit, nothing)
#define RACTOR_NO_FIELDS(FIELD)

#define RACTOR_HANDLE_CAST(N, ...) \
    static ractor_status RACTOR_GLUE(on_, RACTOR_ID(N))(ractor_state_ *self RACTOR_EACH(RACTOR_PARAMETER, __VA_ARGS__)); \
    static ractor_status RACTOR_GLUE(ractor_run_, RACTOR_ID(N))(void *ractor_me, void *const *ractor_values, void *ractor_reply) { \
        (void)ractor_values, (void)ractor_reply; \
        RACTOR_EACH(RACTOR_LOCAL, __VA_ARGS__) \
        return RACTOR_GLUE(on_, RACTOR_ID(N))((ractor_state_ *)ractor_me RACTOR_EACH(RACTOR_PASS, __VA_ARGS__)); \
    }
#define RACTOR_HANDLE_CALL(N, R, ...) \
    static ractor_status RACTOR_GLUE(on_, RACTOR_ID(N))(ractor_state_ *self RACTOR_EACH(RACTOR_PARAMETER, __VA_ARGS__) \
            RACTOR_UNLESS_UNIT(R)(, RACTOR_C_TYPE(R) *reply)); \
    static ractor_status RACTOR_GLUE(ractor_run_, RACTOR_ID(N))(void *ractor_me, void *const *ractor_values, void *ractor_reply) { \
        (void)ractor_values, (void)ractor_reply; \
        RACTOR_EACH(RACTOR_LOCAL, __VA_ARGS__) \
        return RACTOR_GLUE(on_, RACTOR_ID(N))((ractor_state_ *)ractor_me RACTOR_EACH(RACTOR_PASS, __VA_ARGS__) \
                RACTOR_UNLESS_UNIT(R)(, (RACTOR_C_TYPE(R) *)ractor_reply)); \
    } \
    RACTOR_UNUSED_ static ractor_error RACTOR_GLUE(reply_, RACTOR_ID(N))(ractor_open_call call RACTOR_UNLESS_UNIT(R)(, RACTOR_C_TYPE(R) value)) { \
        return ractor_reply_(call, &RACTOR_TYPE(R), RACTOR_IF(RACTOR_IS_UNIT(R))(NULL) RACTOR_UNLESS_UNIT(R)(&value)); \
    }
#define RACTOR_HANDLER_CAST(N, ...) {&RACTOR_ROW_OF(N), RACTOR_GLUE(ractor_run_, RACTOR_ID(N))},
#define RACTOR_HANDLER_CALL(N, R, ...) {&RACTOR_ROW_OF(N), RACTOR_GLUE(ractor_run_, RACTOR_ID(N))},

// The second also makes sure that the state has a field of that type.
#define RACTOR_FALLBACK_(T, N, ...) \
    __VA_OPT__(static const RACTOR_C_TYPE(T) RACTOR_GLUE(ractor_fallback_, RACTOR_ID(N)) = __VA_ARGS__;) \
    RACTOR_UNUSED_ static const RACTOR_C_TYPE(T) *RACTOR_GLUE(ractor_check_, RACTOR_ID(N))(const ractor_state_ *self) { \
        return &self->RACTOR_ID(N); \
    }
#define RACTOR_FIELD_(T, N, ...) \
    {RACTOR_STRING(RACTOR_ID(N)), RACTOR_TAG(N), &RACTOR_TYPE(T), offsetof(ractor_state_, RACTOR_ID(N)), \
        RACTOR_GLUE(RACTOR_FALLBACK_OF_, __VA_OPT__(1))(N)},
#define RACTOR_FALLBACK_OF_(N) NULL
#define RACTOR_FALLBACK_OF_1(N) &RACTOR_GLUE(ractor_fallback_, RACTOR_ID(N))

#ifdef __clang__
#define RACTOR_QUIET_(...) \
    _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wmissing-field-initializers\"") \
    _Pragma("clang diagnostic ignored \"-Wunknown-warning-option\"") _Pragma("clang diagnostic ignored \"-Wc99-designator\"") \
    __VA_ARGS__ _Pragma("clang diagnostic pop")
#else
#define RACTOR_QUIET_(...) __VA_ARGS__
#endif

#define RACTOR_ACTOR(State, START, MESSAGES, FIELDS, ...) \
    typedef State ractor_state_; \
    typedef struct ractor_options { \
        const char *version, *documentation; /* "0.1.0" and nothing */ \
        uint32_t state_version; /* counted up whenever the fields change */ \
        ractor_failed_cast failed_casts; /* RACTOR_FAIL_ACTOR */ \
        bool reentrant; /* other messages are handled while a handler is pending */ \
        const ractor_schema *schemas; \
        size_t schema_count; \
        ractor_status (*post_start)(State *self); \
        ractor_status (*post_stop)(State *self); \
        ractor_status (*on_event)(State *self, const ractor_event *event); \
        ractor_status (*post_reload)(State *self); \
        ractor_status (*snapshot)(State *self, ractor_bytes *state); \
        ractor_status (*restore)(State *self, ractor_bytes state, uint32_t version); \
    } ractor_options; \
    RACTOR_QUIET_(static const ractor_options ractor_options_ = {__VA_ARGS__};) \
    RACTOR_CLIENT(MESSAGES) \
    MESSAGES(RACTOR_HANDLE_CAST, RACTOR_HANDLE_CALL) \
    FIELDS(RACTOR_FALLBACK_) \
    RACTOR_PRE_START_(START) \
    RACTOR_HOOK_(post_start, ) RACTOR_HOOK_(post_stop, ) RACTOR_HOOK_(post_reload, ) \
    static ractor_status ractor_hook_on_event(void *self, const ractor_event *event) { \
        return ractor_options_.on_event == NULL ? RACTOR_OK : ractor_options_.on_event((State *)self, event); \
    } \
    static ractor_status ractor_hook_snapshot(void *self, ractor_bytes *state) { \
        return ractor_options_.snapshot == NULL ? ractor_portable_snapshot(state) : ractor_options_.snapshot((State *)self, state); \
    } \
    static ractor_status ractor_hook_restore(void *self, ractor_bytes state, uint32_t version) { \
        return ractor_options_.restore == NULL ? ractor_portable_restore(state) : ractor_options_.restore((State *)self, state, version); \
    } \
    RACTOR_EXTERN const ractor_actor *ractor_the_actor(void) { \
        static State self; \
        static const ractor_parameter start[] = {RACTOR_ROW START{NULL, NULL}}; \
        static const ractor_handler handlers[] = {MESSAGES(RACTOR_HANDLER_CAST, RACTOR_HANDLER_CALL){NULL, NULL}}; \
        static const ractor_field fields[] = {FIELDS(RACTOR_FIELD_){NULL, NULL, NULL, 0, NULL}}; \
        static ractor_actor actor; \
        const ractor_options *options = &ractor_options_; \
        actor.name = RACTOR_STRING(State); \
        actor.version = options->version == NULL ? "0.1.0" : options->version; \
        actor.documentation = options->documentation == NULL ? "" : options->documentation; \
        actor.state_version = options->state_version; \
        actor.failed_casts = options->failed_casts; \
        actor.reentrant = options->reentrant; \
        actor.self = &self; \
        actor.size = sizeof self; \
        actor.start = start; \
        actor.handlers = handlers; \
        actor.handler_count = sizeof handlers / sizeof *handlers - 1; \
        actor.fields = fields; \
        actor.field_count = sizeof fields / sizeof *fields - 1; \
        actor.schemas = options->schemas; \
        actor.schema_count = options->schema_count; \
        actor.pre_start = ractor_hook_pre_start; \
        actor.post_start = ractor_hook_post_start; \
        actor.post_stop = ractor_hook_post_stop; \
        actor.on_event = ractor_hook_on_event; \
        actor.post_reload = ractor_hook_post_reload; \
        actor.snapshot = ractor_hook_snapshot; \
        actor.restore = ractor_hook_restore; \
        return &actor; \
    }
#define RACTOR_HOOK_(hook, none) \
    static ractor_status ractor_hook_##hook(void *self) { \
        return ractor_options_.hook == NULL ? RACTOR_OK : ractor_options_.hook((ractor_state_ *)self); \
    }
#define RACTOR_PRE_START_(START) RACTOR_PRE_START__(RACTOR_FIRST_OF_ START, START)
#define RACTOR_PRE_START__(T, START) \
    static ractor_status pre_start(ractor_state_ *self RACTOR_UNLESS_UNIT(T)(RACTOR_PARAMETER START)); \
    static ractor_status ractor_hook_pre_start(void *self, const void *argument) { \
        (void)argument; \
        return pre_start((ractor_state_ *)self RACTOR_UNLESS_UNIT(T)(, *(const RACTOR_C_TYPE(T) *)argument)); \
    }

#endif
