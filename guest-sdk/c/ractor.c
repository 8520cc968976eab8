// The library behind ractor.h: memory, the bytes of messages, portable state, the imports and the exports of the world `complete-actor`.
//
// The imports and exports below are what the canonical ABI of the component model makes of wit/*.wit, written by hand: records become
// structs of the same layout, results of more than one value come through a pointer, and memory for what comes in is taken from
// `cabi_realloc`. So an actor needs no generated code, and all that comes in lives in the one arena that ends with the message.

#include "ractor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// ---- Imports ------------------------------------------------------------------------------------------------------------------

#ifdef __wasm__
#define IMPORT(interface, name) __attribute__((import_module("ractor:actor/" interface "@0.1.0"), import_name(name)))
#define EXPORT(interface, name) __attribute__((export_name("ractor:actor/" interface "@0.1.0#" name)))
#else
// Natively, ractor_testing.c has a node to test with.
#define IMPORT(interface, name)
#define EXPORT(interface, name)
#endif

typedef struct option_bytes {
    uint8_t some;
    ractor_bytes value;
} option_bytes;

typedef struct option_str {
    uint8_t some;
    ractor_str value;
} option_str;

typedef struct option_pid {
    uint8_t some;
    ractor_pid value;
} option_pid;

typedef struct call_error {
    uint8_t kind;
    ractor_str reason;
} call_error;

// `failed` is 1 if `error` counts, and 0 otherwise.
typedef struct nothing_or_kind {
    uint8_t failed, kind;
} nothing_or_kind;

typedef struct number_or_kind {
    uint8_t failed;
    union {
        uint64_t number;
        uint8_t kind;
    } is;
} number_or_kind;

typedef struct bytes_or_error {
    uint8_t failed;
    union {
        ractor_bytes bytes;
        call_error error;
    } is;
} bytes_or_error;

typedef struct number_or_error {
    uint8_t failed;
    union {
        uint64_t number;
        call_error error;
    } is;
} number_or_error;

typedef struct pid_or_error {
    uint8_t failed;
    union {
        ractor_pid pid;
        call_error error;
    } is;
} pid_or_error;

typedef struct option_trace {
    uint8_t some;
    ractor_trace value;
} option_trace;

#define TEXT const char *, size_t
#define BYTES const uint8_t *, size_t
#define OPTIONAL_TEXT int32_t, const char *, size_t

IMPORT("identity", "self-pid") extern void import_self_pid(ractor_pid *);
IMPORT("identity", "self-name") extern void import_self_name(option_str *);
IMPORT("identity", "node-name") extern void import_node_name(ractor_str *);

IMPORT("messaging", "cast") extern void import_cast(uint64_t, uint64_t, TEXT, BYTES, nothing_or_kind *);
IMPORT("messaging", "reply") extern void import_reply(uint64_t, BYTES, nothing_or_kind *);
IMPORT("messaging", "drop-call") extern void import_drop_call(uint64_t);
IMPORT("messaging", "fail-call") extern void import_fail_call(uint64_t, TEXT);
IMPORT("messaging", "is-waiting") extern int32_t import_is_waiting(uint64_t);
IMPORT("messaging", "metadata") extern void import_metadata(option_bytes *);
IMPORT("messaging", "next-cast") extern int32_t import_next_cast(void);

IMPORT("requests", "call") extern void import_call(uint64_t, uint64_t, TEXT, BYTES, int32_t, uint64_t, bytes_or_error *);
IMPORT("requests", "ask") extern void import_ask(uint64_t, uint64_t, TEXT, BYTES, int32_t, uint64_t, number_or_error *);
IMPORT("requests", "cancel") extern int32_t import_give_up(uint64_t);
IMPORT("requests", "pending") extern void import_pending(int32_t);

IMPORT("registry", "where-is") extern void import_where_is(TEXT, option_pid *);
IMPORT("registry", "address") extern void import_address(uint64_t, uint64_t, option_bytes *);
IMPORT("registry", "resolve") extern void import_resolve(BYTES, option_pid *);

IMPORT("groups", "join") extern void import_join(TEXT, OPTIONAL_TEXT);
IMPORT("groups", "leave") extern void import_leave(TEXT, OPTIONAL_TEXT);
IMPORT("groups", "members") extern void import_members(TEXT, OPTIONAL_TEXT, ractor_pids *);
IMPORT("groups", "local-members") extern void import_local_members(TEXT, OPTIONAL_TEXT, ractor_pids *);
IMPORT("groups", "which-groups") extern void import_which_groups(OPTIONAL_TEXT, ractor_strs *);
IMPORT("groups", "monitor") extern void import_monitor_group(TEXT, OPTIONAL_TEXT);
IMPORT("groups", "demonitor") extern void import_demonitor_group(TEXT, OPTIONAL_TEXT);

IMPORT("timers", "send-after") extern void import_send_after(uint64_t, uint64_t, TEXT, BYTES, uint64_t, number_or_kind *);
IMPORT("timers", "send-interval") extern void import_send_interval(uint64_t, uint64_t, TEXT, BYTES, uint64_t, number_or_kind *);
IMPORT("timers", "stop-after") extern void import_stop_after(uint64_t, number_or_kind *);
IMPORT("timers", "wake-after") extern void import_wake_after(uint64_t, number_or_kind *);
IMPORT("timers", "cancel") extern int32_t import_cancel_timer(uint64_t);

IMPORT("logging", "log") extern void import_log(int32_t, TEXT, TEXT, const ractor_setting *, size_t);

IMPORT("lifecycle", "spawn") extern void import_spawn(TEXT, OPTIONAL_TEXT, BYTES, const ractor_str *, size_t, int32_t, pid_or_error *);
IMPORT("lifecycle", "children") extern void import_children(ractor_pids *);
IMPORT("lifecycle", "supervisor") extern void import_supervisor(option_pid *);
IMPORT("lifecycle", "stop") extern void import_stop(OPTIONAL_TEXT);
IMPORT("lifecycle", "exit") extern void import_exit(TEXT);
IMPORT("lifecycle", "stop-child") extern int32_t import_stop_child(uint64_t, uint64_t, OPTIONAL_TEXT);
IMPORT("lifecycle", "kill-child") extern int32_t import_kill_child(uint64_t, uint64_t);
IMPORT("lifecycle", "monitor") extern void import_monitor(uint64_t, uint64_t, nothing_or_kind *);
IMPORT("lifecycle", "demonitor") extern void import_demonitor(uint64_t, uint64_t);

IMPORT("config", "value") extern void import_config_value(TEXT, option_str *);
IMPORT("config", "entries") extern void import_config_entries(ractor_settings *);

IMPORT("random", "bytes") extern void import_random(int32_t, ractor_bytes *);

IMPORT("tracing", "current") extern void import_trace_context(option_trace *);

// ---- Memory ---------------------------------------------------------------------------------------------------------------------

// What doesn't fit into the first bytes of the arena. The memory follows.
typedef struct chunk {
    struct chunk *next;
} chunk;

typedef struct arena {
    uint8_t *at, *end;
    chunk *chunks;
} arena;

#define ALIGNMENT 16
#define FIRST_BYTES 2048
#define CHUNK_BYTES 8192
static _Alignas(ALIGNMENT) uint8_t first[FIRST_BYTES];
static arena memory = {first, first + FIRST_BYTES, NULL};
// An export returned, and whoever called it may still read what it returned. The next one to need memory begins anew.
static bool finished = false;

static void rewind_to(arena mark) {
    while (memory.chunks != mark.chunks) {
        chunk *gone = memory.chunks;
        memory.chunks = gone->next;
        free(gone);
    }
    memory = mark;
}

static void begin(void) {
    if (!finished) return;
    finished = false;
    rewind_to((arena){first, first + FIRST_BYTES, NULL});
}

static void *take(size_t bytes, size_t alignment) {
    size_t padding = -(uintptr_t)memory.at & (alignment - 1);
    if ((size_t)(memory.end - memory.at) < padding || (size_t)(memory.end - memory.at) - padding < bytes) {
        if (bytes > SIZE_MAX / 2) abort();
        size_t room = bytes < CHUNK_BYTES ? CHUNK_BYTES : bytes + ALIGNMENT;
        chunk *added = (chunk *)malloc(ALIGNMENT + room);
        if (added == NULL) abort();
        added->next = memory.chunks;
        memory = (arena){(uint8_t *)added + ALIGNMENT, (uint8_t *)added + ALIGNMENT + room, added};
        padding = -(uintptr_t)memory.at & (alignment - 1);
    }
    uint8_t *taken = memory.at + padding;
    memory.at = taken + bytes;
    return taken;
}

void *ractor_alloc(size_t bytes) {
    void *taken = take(bytes, ALIGNMENT);
    memset(taken, 0, bytes);
    return taken;
}

// Where the node puts lists and strings that it hands over.
#ifdef __wasm__
__attribute__((export_name("cabi_realloc")))
#endif
void *cabi_realloc(void *old, size_t old_bytes, size_t alignment, size_t bytes) {
    begin();
    void *taken = take(bytes, alignment);
    if (old != NULL) memcpy(taken, old, old_bytes < bytes ? old_bytes : bytes);
    return taken;
}

// Memory of the heap, for what stays.
static void *allocate(size_t bytes) {
    void *made = calloc(1, bytes == 0 ? 1 : bytes);
    if (made == NULL) abort();
    return made;
}

// Memory for what an instance has from its first message to its end. There is little of it, and it lies where the instance writes anyway: malloc
// would take a page of memory for each size.
static void *lasting(size_t bytes) {
    static _Alignas(ALIGNMENT) uint8_t room[512];
    static size_t used = 0;
    size_t rounded = (bytes + 7) & ~(size_t)7;
    if (rounded < bytes || rounded > sizeof room - used) return allocate(bytes);
    used += rounded;
    return room + used - rounded;
}

// Bytes in the arena that grow.
struct ractor_buffer {
    uint8_t *ptr;
    size_t len, room;
};

static uint8_t *extend(ractor_buffer *buffer, size_t by) {
    if (buffer->room - buffer->len < by) {
        size_t room = (buffer->len + by) * 2;
        if (room / 2 - by != buffer->len) abort();
        uint8_t *grown = (uint8_t *)take(room, 1);
        if (buffer->len > 0) memcpy(grown, buffer->ptr, buffer->len);
        buffer->ptr = grown;
        buffer->room = room;
    }
    buffer->len += by;
    return buffer->ptr + buffer->len - by;
}

static void append(ractor_buffer *buffer, const void *bytes, size_t len) {
    if (len > 0) memcpy(extend(buffer, len), bytes, len);
}

static void append_text(ractor_buffer *buffer, const char *text) { append(buffer, text, strlen(text)); }

static void append_byte(ractor_buffer *buffer, char byte) { *extend(buffer, 1) = (uint8_t)byte; }

static ractor_bytes bytes_of(const ractor_buffer *buffer) { return (ractor_bytes){buffer->ptr, buffer->len}; }

static ractor_str text_of(const ractor_buffer *buffer) { return (ractor_str){(const char *)buffer->ptr, buffer->len}; }

void ractor_keep_bytes(ractor_bytes *field, ractor_bytes value) {
    uint8_t *kept = (uint8_t *)allocate(value.len);
    if (value.len > 0) memcpy(kept, value.ptr, value.len);
    // Last, because the value may be the field's own.
    free((void *)(uintptr_t)field->ptr);
    *field = (ractor_bytes){kept, value.len};
}

void ractor_keep_str(ractor_str *field, ractor_str value) {
    ractor_bytes bytes = {(const uint8_t *)field->ptr, field->len};
    ractor_keep_bytes(&bytes, (ractor_bytes){(const uint8_t *)value.ptr, value.len});
    *field = (ractor_str){(const char *)bytes.ptr, bytes.len};
}

void *ractor_grow_(void *items, size_t *count, size_t size) {
    // A pointer of any type: what it points to is none of ours.
    uint8_t *array;
    memcpy(&array, items, sizeof array);
    // The array has room for a power of two, at least four.
    if (*count == 0 || (*count >= 4 && (*count & (*count - 1)) == 0)) {
        size_t room = *count == 0 ? 4 : *count * 2;
        array = room > SIZE_MAX / 2 / size ? NULL : (uint8_t *)realloc(array, room * size);
        if (array == NULL) abort();
        memcpy(items, &array, sizeof array);
    }
    return array + (*count)++ * size;
}

// ---- Text -------------------------------------------------------------------------------------------------------------------------

// How many bytes the character at the beginning has, or 0 if it is no UTF-8.
static size_t character(const uint8_t *at, size_t len, uint32_t *code) {
    uint32_t c = at[0], least;
    size_t more;
    if (c < 0x80) {
        *code = c;
        return 1;
    }
    if ((c & 0xe0) == 0xc0) more = 1, least = 0x80, c &= 0x1f;
    else if ((c & 0xf0) == 0xe0) more = 2, least = 0x800, c &= 0x0f;
    else if ((c & 0xf8) == 0xf0) more = 3, least = 0x10000, c &= 0x07;
    else return 0;
    if (len <= more) return 0;
    for (size_t i = 1; i <= more; i++) {
        if ((at[i] & 0xc0) != 0x80) return 0;
        c = c << 6 | (at[i] & 0x3f);
    }
    // No shorter form of the same character is allowed.
    if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return 0;
    *code = c;
    return more + 1;
}

static void append_character(ractor_buffer *to, uint32_t c) {
    if (c < 0x80) {
        append_byte(to, (char)c);
    } else if (c < 0x800) {
        append_byte(to, (char)(0xc0 | c >> 6));
        append_byte(to, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        append_byte(to, (char)(0xe0 | c >> 12));
        append_byte(to, (char)(0x80 | (c >> 6 & 0x3f)));
        append_byte(to, (char)(0x80 | (c & 0x3f)));
    } else {
        append_byte(to, (char)(0xf0 | c >> 18));
        append_byte(to, (char)(0x80 | (c >> 12 & 0x3f)));
        append_byte(to, (char)(0x80 | (c >> 6 & 0x3f)));
        append_byte(to, (char)(0x80 | (c & 0x3f)));
    }
}

static bool is_utf8(const void *text, size_t len) {
    const uint8_t *at = (const uint8_t *)text;
    uint32_t code;
    for (size_t i = 0; i < len;) {
        // Most of most texts.
        if (at[i] < 0x80) {
            i++;
            continue;
        }
        size_t bytes = character(at + i, len - i, &code);
        if (bytes == 0) return false;
        i += bytes;
    }
    return true;
}

// A text that may go to the node, which traps at what is no UTF-8: that is replaced by U+FFFD.
static ractor_str printable(ractor_str text) {
    if (is_utf8(text.ptr, text.len)) return text;
    ractor_buffer clean = {0};
    uint32_t code;
    for (size_t i = 0; i < text.len;) {
        size_t bytes = character((const uint8_t *)text.ptr + i, text.len - i, &code);
        append_character(&clean, bytes == 0 ? 0xfffd : code);
        i += bytes == 0 ? 1 : bytes;
    }
    return text_of(&clean);
}

bool ractor_equal(ractor_str one, const char *other) {
    return one.len == strlen(other) && (one.len == 0 || memcmp(one.ptr, other, one.len) == 0);
}

static bool same_text(ractor_str one, ractor_str other) {
    return one.len == other.len && (one.len == 0 || memcmp(one.ptr, other.ptr, one.len) == 0);
}

const char *ractor_cstr(ractor_str text) {
    char *copy = (char *)take(text.len + 1, 1);
    if (text.len > 0) memcpy(copy, text.ptr, text.len);
    copy[text.len] = 0;
    return copy;
}

static ractor_str format(const char *how, va_list values) {
    va_list again;
    va_copy(again, values);
    int len = vsnprintf(NULL, 0, how, again);
    va_end(again);
    if (len < 0) return RACTOR_STR("(a text that printf can't format)");
    char *made = (char *)take((size_t)len + 1, 1);
    vsnprintf(made, (size_t)len + 1, how, values);
    return printable((ractor_str){made, (size_t)len});
}

ractor_str ractor_format(const char *how, ...) {
    va_list values;
    va_start(values, how);
    ractor_str made = format(how, values);
    va_end(values);
    return made;
}

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// `add_all` and `addAll` as `AddAll`.
static ractor_str capitalized(const char *name) {
    char *made = (char *)take(strlen(name) + 1, 1);
    size_t len = 0;
    bool first_of_word = true;
    for (; *name != 0; name++) {
        if (*name == '_') {
            first_of_word = true;
            continue;
        }
        made[len++] = first_of_word && *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name;
        first_of_word = false;
    }
    return (ractor_str){made, len};
}

// `lastSeen` and `LastSeen` as `last_seen`.
static ractor_str underscored(const char *name) {
    char *made = (char *)take(strlen(name) * 2 + 1, 1);
    size_t len = 0;
    for (size_t i = 0; name[i] != 0; i++) {
        if (is_upper(name[i]) && i > 0 && name[i - 1] != '_' && !is_upper(name[i - 1])) made[len++] = '_';
        made[len++] = is_upper(name[i]) ? (char)(name[i] - 'A' + 'a') : name[i];
    }
    return (ractor_str){made, len};
}

static ractor_str tag_of(const ractor_message *message) {
    return message->tag != NULL ? ractor_text(message->tag) : capitalized(message->name);
}

static ractor_str tag_of_field(const ractor_field *field) {
    return field->tag != NULL ? ractor_text(field->tag) : underscored(field->name);
}

// ---- The bytes of messages ----------------------------------------------------------------------------------------------------------

// Between big-endian numbers and those of this machine, either way.
static void swap(const void *from, void *to, size_t wire, size_t count) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    memcpy(to, from, wire * count);
#else
    if (count == 0) return;
    const uint8_t *in = (const uint8_t *)from;
    uint8_t *out = (uint8_t *)to;
    switch (wire) {
    case 2:
        for (size_t i = 0; i < count; i++) {
            uint16_t n;
            memcpy(&n, in + 2 * i, 2);
            n = __builtin_bswap16(n);
            memcpy(out + 2 * i, &n, 2);
        }
        break;
    case 4:
        for (size_t i = 0; i < count; i++) {
            uint32_t n;
            memcpy(&n, in + 4 * i, 4);
            n = __builtin_bswap32(n);
            memcpy(out + 4 * i, &n, 4);
        }
        break;
    case 8:
        for (size_t i = 0; i < count; i++) {
            uint64_t n;
            memcpy(&n, in + 8 * i, 8);
            n = __builtin_bswap64(n);
            memcpy(out + 8 * i, &n, 8);
        }
        break;
    case 16:
        for (size_t i = 0; i < count; i++) {
            uint64_t high, low;
            memcpy(&high, in + 16 * i, 8);
            memcpy(&low, in + 16 * i + 8, 8);
            high = __builtin_bswap64(high);
            low = __builtin_bswap64(low);
            memcpy(out + 16 * i, &low, 8);
            memcpy(out + 16 * i + 8, &high, 8);
        }
        break;
    default:
        memcpy(to, from, wire * count);
    }
#endif
}

static uint64_t length_at(const uint8_t *at) {
    uint64_t len;
    swap(at, &len, 8, 1);
    return len;
}

static bool decode_scalar(const ractor_type *type, ractor_bytes from, void *to) {
    if (from.len != type->wire) return false;
    swap(from.ptr, to, type->wire, 1);
    return true;
}

static bool encode_scalar(const ractor_type *type, const void *from, ractor_buffer *to) {
    swap(from, extend(to, type->wire), type->wire, 1);
    return true;
}

static bool decode_bool(const ractor_type *type, ractor_bytes from, void *to) {
    (void)type;
    if (from.len != 1 || from.ptr[0] > 1) return false;
    *(bool *)to = from.ptr[0] == 1;
    return true;
}

static bool encode_bool(const ractor_type *type, const void *from, ractor_buffer *to) {
    (void)type;
    append_byte(to, *(const bool *)from ? 1 : 0);
    return true;
}

static bool is_char(uint32_t c) { return c <= 0x10ffff && (c < 0xd800 || c > 0xdfff); }

static bool decode_char(const ractor_type *type, ractor_bytes from, void *to) {
    return decode_scalar(type, from, to) && is_char(*(ractor_char *)to);
}

static bool encode_char(const ractor_type *type, const void *from, ractor_buffer *to) {
    return is_char(*(const ractor_char *)from) && encode_scalar(type, from, to);
}

static bool decode_unit(const ractor_type *type, ractor_bytes from, void *to) {
    (void)type, (void)to;
    return from.len == 0;
}

static bool encode_unit(const ractor_type *type, const void *from, ractor_buffer *to) {
    (void)type, (void)from, (void)to;
    return true;
}

bool ractor_decode_bytes_(const ractor_type *type, ractor_bytes from, void *to) {
    (void)type;
    *(ractor_bytes *)to = from;
    return true;
}

bool ractor_encode_bytes_(const ractor_type *type, const void *from, ractor_buffer *to) {
    (void)type;
    const ractor_bytes *bytes = (const ractor_bytes *)from;
    append(to, bytes->ptr, bytes->len);
    return true;
}

// A string, and the text of a JSON value.
bool ractor_decode_json_(const ractor_type *type, ractor_bytes from, void *to) {
    (void)type;
    *(ractor_str *)to = (ractor_str){(const char *)from.ptr, from.len};
    return is_utf8(from.ptr, from.len);
}

bool ractor_encode_json_(const ractor_type *type, const void *from, ractor_buffer *to) {
    (void)type;
    const ractor_str *text = (const ractor_str *)from;
    append(to, text->ptr, text->len);
    return is_utf8(text->ptr, text->len);
}

// A message of protobuf has its length in front, as protobuf writes numbers.
bool ractor_decode_protobuf_(const ractor_type *type, ractor_bytes from, void *to) {
    (void)type;
    uint64_t len = 0;
    size_t at = 0;
    for (unsigned shift = 0;; shift += 7) {
        if (at == from.len || shift > 63) return false;
        uint8_t byte = from.ptr[at++];
        len |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) break;
    }
    *(ractor_bytes *)to = (ractor_bytes){from.ptr + at, from.len - at};
    return len == from.len - at;
}

bool ractor_encode_protobuf_(const ractor_type *type, const void *from, ractor_buffer *to) {
    const ractor_bytes *message = (const ractor_bytes *)from;
    uint64_t len = message->len;
    for (; len >= 0x80; len >>= 7) append_byte(to, (char)(0x80 | (len & 0x7f)));
    append_byte(to, (char)len);
    return ractor_encode_bytes_(type, from, to);
}

// Every list has this shape, whatever its elements.
typedef struct __attribute__((may_alias)) list {
    const void *items;
    size_t count;
} list;

static bool decode_list(const ractor_type *type, ractor_bytes from, void *to) {
    const ractor_type *element = type->inner;
    if (from.len % element->wire != 0) return false;
    size_t count = from.len / element->wire;
    uint8_t *items = (uint8_t *)take(count * element->size, ALIGNMENT);
    *(list *)to = (list){items, count};
    if (element->decode == decode_scalar) {
        swap(from.ptr, items, element->wire, count);
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        ractor_bytes one = {from.ptr + i * element->wire, element->wire};
        if (!element->decode(element, one, items + i * element->size)) return false;
    }
    return true;
}

static bool encode_list(const ractor_type *type, const void *from, ractor_buffer *to) {
    const ractor_type *element = type->inner;
    const list *values = (const list *)from;
    const uint8_t *items = (const uint8_t *)values->items;
    if (values->count == 0) return true;
    if (element->encode == encode_scalar) {
        swap(items, extend(to, values->count * element->wire), element->wire, values->count);
        return true;
    }
    for (size_t i = 0; i < values->count; i++)
        if (!element->encode(element, items + i * element->size, to)) return false;
    return true;
}

bool ractor_encode(const ractor_type *type, const void *value, ractor_bytes *bytes) {
    ractor_buffer buffer = {0};
    bool fits = type->encode != NULL && type->encode(type, value, &buffer);
    *bytes = bytes_of(&buffer);
    return fits;
}

bool ractor_decode(const ractor_type *type, ractor_bytes bytes, void *value) {
    return type->decode != NULL && type->decode(type, bytes, value);
}

static void append_type(ractor_buffer *to, const ractor_type *type) {
    append_text(to, type->name);
    if (type->inner == NULL) return;
    if (type->key != NULL) {
        append_type(to, type->key);
        append_text(to, ", ");
    }
    append_type(to, type->inner);
    append_byte(to, '>');
}

ractor_str ractor_type_name(const ractor_type *type) {
    if (type->inner == NULL) return ractor_text(type->name);
    ractor_buffer name = {0};
    append_type(&name, type);
    return text_of(&name);
}

// Each argument has its length in front. The values are made in the arena. Says what is wrong, if anything is.
static bool decode_arguments(const ractor_message *message, ractor_bytes from, void **values, ractor_str *fault) {
    const ractor_parameter *parameter = message->parameters;
    for (; parameter->type != NULL; parameter++) {
        if (from.len == 0) {
            *fault = ractor_format("the argument `%s` is missing", parameter->name);
            return false;
        }
        uint64_t len = from.len < 8 ? UINT64_MAX : length_at(from.ptr);
        if (len > (from.len < 8 ? 0 : from.len - 8)) {
            *fault = ractor_format("the argument `%s` is cut off", parameter->name);
            return false;
        }
        ractor_bytes argument = {from.ptr + 8, (size_t)len};
        from = (ractor_bytes){from.ptr + 8 + len, from.len - 8 - (size_t)len};
        *values = take(parameter->type->size, ALIGNMENT);
        if (!ractor_decode(parameter->type, argument, *values)) {
            *fault = ractor_format("the argument `%s` is no %.*s", parameter->name, RACTOR_PRINT(ractor_type_name(parameter->type)));
            return false;
        }
        values++;
    }
    if (from.len > 0) *fault = ractor_format("%zu bytes are left behind its arguments", from.len);
    return from.len == 0;
}

ractor_sendable ractor_make(const ractor_message *message, const void *const *values) {
    ractor_buffer bytes = {0};
    ractor_sendable made = {tag_of(message), {NULL, 0}, {NULL, 0}};
    for (const ractor_parameter *parameter = message->parameters; parameter->type != NULL; parameter++, values++) {
        extend(&bytes, 8);
        size_t from = bytes.len;
        if (parameter->type->encode == NULL || !parameter->type->encode(parameter->type, *values, &bytes)) {
            made.fault = ractor_format("the argument `%s` of %.*s is no %.*s", parameter->name, RACTOR_PRINT(made.tag),
                RACTOR_PRINT(ractor_type_name(parameter->type)));
            break;
        }
        uint64_t len = bytes.len - from;
        swap(&len, bytes.ptr + from - 8, 8, 1);
    }
    made.arguments = bytes_of(&bytes);
    return made;
}

// ---- JSON ---------------------------------------------------------------------------------------------------------------------------

// A cursor in a text that is UTF-8.
struct ractor_reader {
    const char *at, *end;
};

#define DEEPEST 100

static char peek(ractor_reader *from) {
    while (from->at < from->end && (*from->at == ' ' || *from->at == '\t' || *from->at == '\n' || *from->at == '\r')) from->at++;
    return from->at < from->end ? *from->at : 0;
}

// Takes a punctuation mark, if it is next.
static bool accept(ractor_reader *from, char mark) {
    if (peek(from) != mark) return false;
    from->at++;
    return true;
}

static bool at_end(ractor_reader *from) { return peek(from) == 0 && from->at == from->end; }

static bool accept_word(ractor_reader *from, const char *word) {
    size_t len = strlen(word);
    peek(from);
    if ((size_t)(from->end - from->at) < len || memcmp(from->at, word, len) != 0) return false;
    from->at += len;
    return true;
}

static bool read_hex(ractor_reader *from, uint32_t *unit) {
    *unit = 0;
    for (int i = 0; i < 4; i++, from->at++) {
        char c = from->at < from->end ? *from->at : 0;
        uint32_t digit;
        if (c >= '0' && c <= '9') digit = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f') digit = (uint32_t)(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F') digit = (uint32_t)(c - 'A' + 10);
        else return false;
        *unit = *unit << 4 | digit;
    }
    return true;
}

static bool read_escape(ractor_reader *from, ractor_buffer *to) {
    static const char LETTERS[] = "\"\\/bfnrt", MEANINGS[] = "\"\\/\b\f\n\r\t";
    char c = from->at < from->end ? *from->at++ : 0;
    if (c != 'u') {
        const char *letter = c == 0 ? NULL : strchr(LETTERS, c);
        if (letter == NULL) return false;
        append_byte(to, MEANINGS[letter - LETTERS]);
        return true;
    }
    uint32_t code, low;
    if (!read_hex(from, &code)) return false;
    if (code >= 0xd800 && code <= 0xdbff) {
        if (from->end - from->at < 2 || from->at[0] != '\\' || from->at[1] != 'u') return false;
        from->at += 2;
        if (!read_hex(from, &low) || low < 0xdc00 || low > 0xdfff) return false;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    if (!is_char(code)) return false;
    append_character(to, code);
    return true;
}

// A string, as it is if it has no escapes, or else in the arena.
static bool read_text(ractor_reader *from, ractor_str *text) {
    if (!accept(from, '"')) return false;
    const char *start = from->at;
    ractor_buffer unescaped = {0};
    for (;;) {
        const char *plain = from->at;
        while (from->at < from->end && *from->at != '"' && *from->at != '\\' && (uint8_t)*from->at >= 0x20) from->at++;
        if (from->at == from->end || (uint8_t)*from->at < 0x20) return false;
        if (*from->at == '"' && plain == start) {
            *text = (ractor_str){start, (size_t)(from->at++ - start)};
            return true;
        }
        append(&unescaped, plain, (size_t)(from->at - plain));
        if (*from->at++ == '"') {
            *text = text_of(&unescaped);
            return true;
        }
        if (!read_escape(from, &unescaped)) return false;
        // From here on it is no longer as it is.
        start = NULL;
    }
}

static size_t skip_digits(ractor_reader *from) {
    size_t count = 0;
    while (from->at < from->end && *from->at >= '0' && *from->at <= '9') from->at++, count++;
    return count;
}

// The text of a number, of whatever size.
static bool read_number(ractor_reader *from, ractor_str *number) {
    peek(from);
    const char *start = from->at;
    if (from->at < from->end && *from->at == '-') from->at++;
    const char *digits = from->at;
    size_t count = skip_digits(from);
    if (count == 0 || (*digits == '0' && count > 1)) return false;
    if (from->at < from->end && *from->at == '.') {
        from->at++;
        if (skip_digits(from) == 0) return false;
    }
    if (from->at < from->end && (*from->at == 'e' || *from->at == 'E')) {
        from->at++;
        if (from->at < from->end && (*from->at == '+' || *from->at == '-')) from->at++;
        if (skip_digits(from) == 0) return false;
    }
    *number = (ractor_str){start, (size_t)(from->at - start)};
    return true;
}

// A string of whatever meaning: whether its escapes are characters is for its type to tell.
static bool skip_text(ractor_reader *from) {
    ractor_reader unit;
    uint32_t code;
    if (!accept(from, '"')) return false;
    for (;; from->at++) {
        if (from->at == from->end || (uint8_t)*from->at < 0x20) return false;
        if (*from->at == '"') break;
        if (*from->at != '\\') continue;
        if (++from->at == from->end || strchr("\"\\/bfnrtu", *from->at) == NULL || *from->at == 0) return false;
        unit = (ractor_reader){from->at + 1, from->end};
        if (*from->at == 'u' && !read_hex(&unit, &code)) return false;
    }
    from->at++;
    return true;
}

// Whether a value is one, and what is within it. With `number`, each number has to please it, and each string has to have a meaning.
static bool skip_value(ractor_reader *from, int depth, bool (*number)(ractor_str)) {
    ractor_str text;
    if (depth > DEEPEST) return false;
    switch (peek(from)) {
    case '{':
        from->at++;
        if (accept(from, '}')) return true;
        do {
            if (!(number == NULL ? skip_text(from) : read_text(from, &text)) || !accept(from, ':')) return false;
            if (!skip_value(from, depth + 1, number)) return false;
        } while (accept(from, ','));
        return accept(from, '}');
    case '[':
        from->at++;
        if (accept(from, ']')) return true;
        do {
            if (!skip_value(from, depth + 1, number)) return false;
        } while (accept(from, ','));
        return accept(from, ']');
    case '"':
        return number == NULL ? skip_text(from) : read_text(from, &text);
    case 't':
        return accept_word(from, "true");
    case 'f':
        return accept_word(from, "false");
    case 'n':
        return accept_word(from, "null");
    default:
        return read_number(from, &text) && (number == NULL || number(text));
    }
}

static void write_text(ractor_buffer *to, ractor_str text) {
    static const char HEX[] = "0123456789abcdef";
    append_byte(to, '"');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '"' || c == '\\') append_byte(to, '\\');
        if ((uint8_t)c < 0x20) {
            append_text(to, "\\u00");
            append_byte(to, HEX[(uint8_t)c >> 4]);
            c = HEX[c & 15];
        }
        append_byte(to, c);
    }
    append_byte(to, '"');
}

// ---- Values of a state ----------------------------------------------------------------------------------------------------------------

static bool is_signed(const ractor_type *type) { return type->name[0] == 'i'; }

// An integer of up to 128 bits in memory, as its sign and its absolute value.
static ractor_u128 magnitude(const ractor_type *type, const void *from, bool *negative) {
    ractor_u128 bits = 0;
    memcpy(&bits, from, type->size);
    unsigned unused = 128 - 8 * (unsigned)type->size;
    *negative = is_signed(type) && (bits >> (8 * type->size - 1) & 1) == 1;
    return *negative ? (-bits << unused) >> unused : bits;
}

// False if it doesn't fit into the type.
static bool put_integer(const ractor_type *type, bool negative, ractor_u128 value, void *to) {
    ractor_u128 half = (ractor_u128)1 << (8 * type->size - 1);
    ractor_u128 most = is_signed(type) ? (negative ? half : half - 1) : (negative ? 0 : half - 1 + half);
    if (value > most) return false;
    value = negative ? -value : value;
    memcpy(to, &value, type->size);
    return true;
}

static void write_digits(const ractor_type *type, const void *from, ractor_buffer *to) {
    char digits[40];
    size_t at = sizeof digits;
    bool negative;
    ractor_u128 rest = magnitude(type, from, &negative);
    do {
        digits[--at] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest > 0);
    if (negative) append_byte(to, '-');
    append(to, digits + at, sizeof digits - at);
}

// `-?(0|[1-9][0-9]*)` and not `-0`.
static bool read_digits(const ractor_type *type, ractor_str text, void *to) {
    ractor_u128 value = 0;
    bool negative = text.len > 0 && text.ptr[0] == '-';
    size_t at = negative ? 1 : 0;
    if (text.len == at || (text.ptr[at] == '0' && text.len > 1)) return false;
    for (; at < text.len; at++) {
        unsigned digit = (unsigned)(uint8_t)text.ptr[at] - '0';
        ractor_u128 next = value * 10 + digit;
        if (digit > 9 || value > ~(ractor_u128)0 / 10 || next < digit) return false;
        value = next;
    }
    return put_integer(type, negative, value, to);
}

static bool read_large(const ractor_type *type, ractor_reader *from, void *to) {
    ractor_str text;
    return read_text(from, &text) && read_digits(type, text, to);
}

static bool write_large(const ractor_type *type, const void *from, ractor_buffer *to) {
    append_byte(to, '"');
    write_digits(type, from, to);
    append_byte(to, '"');
    return true;
}

static double number_of(ractor_str text) { return strtod(ractor_cstr(text), NULL); }

// Numbers count by their value, so `7.0` is an integer.
static bool read_small(const ractor_type *type, ractor_reader *from, void *to) {
    ractor_str text;
    if (!read_number(from, &text)) return false;
    if (read_digits(type, text, to)) return true;
    double value = number_of(text), absolute = value < 0 ? -value : value;
    if (!(absolute <= UINT32_MAX) || (double)(uint64_t)absolute != absolute) return false;
    return put_integer(type, value < 0, (ractor_u128)absolute, to);
}

static bool write_small(const ractor_type *type, const void *from, ractor_buffer *to) {
    write_digits(type, from, to);
    return true;
}

static bool read_f64(const ractor_type *type, ractor_reader *from, void *to) {
    (void)type;
    ractor_str text;
    double *value = (double *)to;
    if (peek(from) != '"') {
        if (!read_number(from, &text)) return false;
        *value = number_of(text);
        // The sign of zero is kept by the string alone.
        if (*value == 0) *value = 0;
        return *value - *value == 0;
    }
    if (!read_text(from, &text)) return false;
    if (ractor_equal(text, "NaN")) *value = (double)NAN;
    else if (ractor_equal(text, "Infinity")) *value = (double)INFINITY;
    else if (ractor_equal(text, "-Infinity")) *value = -(double)INFINITY;
    else if (ractor_equal(text, "-0")) *value = -0.0;
    else return false;
    return true;
}

static bool write_f64(const ractor_type *type, const void *from, ractor_buffer *to) {
    (void)type;
    double value = *(const double *)from;
    if (value != value) {
        append_text(to, "\"NaN\"");
    } else if (value - value != 0) {
        append_text(to, value < 0 ? "\"-Infinity\"" : "\"Infinity\"");
    } else if (value == 0) {
        append_text(to, signbit(value) ? "\"-0\"" : "0");
    } else {
        // The fewest digits that mean this number.
        char digits[32];
        for (int precision = 15; precision <= 17; precision++) {
            snprintf(digits, sizeof digits, "%.*g", precision, value);
            if (strtod(digits, NULL) == value) break;
        }
        append_text(to, digits);
    }
    return true;
}

static bool read_f32(const ractor_type *type, ractor_reader *from, void *to) {
    double value;
    if (!read_f64(type, from, &value)) return false;
    // Beyond the largest float the conversion would have no meaning.
    bool finite = value - value == 0;
    if (finite && (value > 3.4028234663852886e38 || value < -3.4028234663852886e38)) return false;
    *(float *)to = (float)value;
    return !finite || (double)*(float *)to == value;
}

static bool write_f32(const ractor_type *type, const void *from, ractor_buffer *to) {
    double value = (double)*(const float *)from;
    return write_f64(type, &value, to);
}

static bool read_bool(const ractor_type *type, ractor_reader *from, void *to) {
    (void)type;
    *(bool *)to = accept_word(from, "true");
    return *(bool *)to || accept_word(from, "false");
}

static bool write_bool(const ractor_type *type, const void *from, ractor_buffer *to) {
    (void)type;
    append_text(to, *(const bool *)from ? "true" : "false");
    return true;
}

static bool read_unit(const ractor_type *type, ractor_reader *from, void *to) {
    (void)type, (void)to;
    return accept_word(from, "null");
}

static bool write_unit(const ractor_type *type, const void *from, ractor_buffer *to) {
    (void)type, (void)from;
    append_text(to, "null");
    return true;
}

static bool read_char(const ractor_type *type, ractor_reader *from, void *to) {
    (void)type;
    ractor_str text;
    return read_text(from, &text) && text.len > 0 && character((const uint8_t *)text.ptr, text.len, (ractor_char *)to) == text.len;
}

static bool write_char(const ractor_type *type, const void *from, ractor_buffer *to) {
    (void)type;
    ractor_buffer text = {0};
    if (!is_char(*(const ractor_char *)from)) return false;
    append_character(&text, *(const ractor_char *)from);
    write_text(to, text_of(&text));
    return true;
}

static bool read_string(const ractor_type *type, ractor_reader *from, void *to) {
    (void)type;
    ractor_str text, *kept = (ractor_str *)to;
    if (!read_text(from, &text)) return false;
    *kept = (ractor_str){NULL, 0};
    ractor_keep_str(kept, text);
    return true;
}

static bool write_string(const ractor_type *type, const void *from, ractor_buffer *to) {
    (void)type;
    ractor_str text = *(const ractor_str *)from;
    if (!is_utf8(text.ptr, text.len)) return false;
    write_text(to, text);
    return true;
}

static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool ractor_read_bytes_(const ractor_type *type, ractor_reader *from, void *to) {
    (void)type;
    ractor_str text;
    if (!read_text(from, &text) || text.len % 4 != 0) return false;
    size_t padding = text.len == 0 || text.ptr[text.len - 1] != '=' ? 0 : text.ptr[text.len - 2] != '=' ? 1 : 2;
    uint8_t *bytes = (uint8_t *)take(text.len / 4 * 3, 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i += 4) {
        uint32_t group = 0;
        size_t letters = i + 4 == text.len ? 4 - padding : 4;
        for (size_t j = 0; j < 4; j++) {
            const char *digit = j >= letters ? BASE64 : text.ptr[i + j] == 0 ? NULL : strchr(BASE64, text.ptr[i + j]);
            if (digit == NULL) return false;
            group = group << 6 | (uint32_t)(digit - BASE64);
        }
        // Bits that belong to no byte.
        if ((letters == 3 && (group & 0xff) != 0) || (letters == 2 && (group & 0xffff) != 0)) return false;
        for (size_t j = 0; j + 1 < letters; j++) bytes[len++] = (uint8_t)(group >> (16 - 8 * j));
    }
    ractor_bytes *kept = (ractor_bytes *)to;
    *kept = (ractor_bytes){NULL, 0};
    ractor_keep_bytes(kept, (ractor_bytes){bytes, len});
    return true;
}

bool ractor_write_bytes_(const ractor_type *type, const void *from, ractor_buffer *to) {
    (void)type;
    ractor_bytes bytes = *(const ractor_bytes *)from;
    append_byte(to, '"');
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t count = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t group = 0;
        for (size_t j = 0; j < 3; j++) group = group << 8 | (j < count ? bytes.ptr[i + j] : 0);
        for (size_t j = 0; j < 4; j++) append_byte(to, j <= count ? BASE64[group >> (18 - 6 * j) & 63] : '=');
    }
    append_byte(to, '"');
    return true;
}

// A number that all languages read alike.
static bool is_common(ractor_str number) {
    double value = number_of(number), absolute = value < 0 ? -value : value;
    if (value - value != 0) return false;
    return absolute <= 9007199254740991.0 || absolute != floor(absolute);
}

static bool is_common_json(ractor_str text) {
    ractor_reader from = {text.ptr, text.ptr + text.len};
    return text.len > 0 && is_utf8(text.ptr, text.len) && skip_value(&from, 1, is_common) && at_end(&from);
}

bool ractor_read_json_(const ractor_type *type, ractor_reader *from, void *to) {
    (void)type;
    peek(from);
    const char *start = from->at;
    if (!skip_value(from, 1, is_common)) return false;
    ractor_str *kept = (ractor_str *)to;
    *kept = (ractor_str){NULL, 0};
    ractor_keep_str(kept, (ractor_str){start, (size_t)(from->at - start)});
    return true;
}

bool ractor_write_json_(const ractor_type *type, const void *from, ractor_buffer *to) {
    (void)type;
    ractor_str text = *(const ractor_str *)from;
    // Also a field that was never set is something.
    if (text.len == 0) text = RACTOR_STR("null");
    if (!is_common_json(text)) return false;
    append(to, text.ptr, text.len);
    return true;
}

bool ractor_read_list_(const ractor_type *type, ractor_reader *from, void *to) {
    const ractor_type *element = type->inner;
    list *made = (list *)to;
    *made = (list){NULL, 0};
    if (!accept(from, '[')) return false;
    if (accept(from, ']')) return true;
    do {
        void *item = ractor_grow_(&made->items, &made->count, element->size);
        memset(item, 0, element->size);
        if (!element->read(element, from, item)) return false;
    } while (accept(from, ','));
    return accept(from, ']');
}

bool ractor_write_list_(const ractor_type *type, const void *from, ractor_buffer *to) {
    const ractor_type *element = type->inner;
    const list *values = (const list *)from;
    append_byte(to, '[');
    for (size_t i = 0; i < values->count; i++) {
        if (i > 0) append_byte(to, ',');
        if (!element->write(element, (const uint8_t *)values->items + i * element->size, to)) return false;
    }
    append_byte(to, ']');
    return true;
}

bool ractor_read_option_(const ractor_type *type, ractor_reader *from, void *to) {
    memset(to, 0, type->size);
    if (accept_word(from, "null")) return true;
    *(bool *)to = true;
    return accept(from, '[') && type->inner->read(type->inner, from, (uint8_t *)to + type->offset) && accept(from, ']');
}

bool ractor_write_option_(const ractor_type *type, const void *from, ractor_buffer *to) {
    if (!*(const bool *)from) {
        append_text(to, "null");
        return true;
    }
    append_byte(to, '[');
    bool written = type->inner->write(type->inner, (const uint8_t *)from + type->offset, to);
    append_byte(to, ']');
    return written;
}

// An entry of a map, and the text of its key by which they are sorted.
typedef struct sorted {
    ractor_str text;
    ractor_bytes key;
    const uint8_t *entry;
} sorted;

static int by_text(const void *one, const void *other) {
    ractor_str a = ((const sorted *)one)->text, b = ((const sorted *)other)->text;
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);
    return order != 0 ? order : a.len < b.len ? -1 : a.len > b.len ? 1 : 0;
}

// Gives NULL if a key is no value of its type, or is there twice.
static sorted *sort_entries(const ractor_type *type, const list *map) {
    sorted *entries = (sorted *)take((map->count + 1) * sizeof *entries, ALIGNMENT);
    for (size_t i = 0; i < map->count; i++) {
        const uint8_t *entry = (const uint8_t *)map->items + i * type->stride;
        ractor_buffer key = {0};
        if (!type->key->write(type->key, entry, &key)) return NULL;
        ractor_reader text = {(const char *)key.ptr, (const char *)key.ptr + key.len};
        entries[i] = (sorted){text_of(&key), bytes_of(&key), entry};
        // Of a string, what is within.
        if (peek(&text) == '"' && !read_text(&text, &entries[i].text)) return NULL;
    }
    qsort(entries, map->count, sizeof *entries, by_text);
    for (size_t i = 1; i < map->count; i++)
        if (same_text(entries[i - 1].text, entries[i].text)) return NULL;
    return entries;
}

bool ractor_read_map_(const ractor_type *type, ractor_reader *from, void *to) {
    list *map = (list *)to;
    *map = (list){NULL, 0};
    if (!accept(from, '[')) return false;
    if (accept(from, ']')) return true;
    do {
        uint8_t *entry = (uint8_t *)ractor_grow_(&map->items, &map->count, type->stride);
        memset(entry, 0, type->stride);
        if (!accept(from, '[') || !type->key->read(type->key, from, entry) || !accept(from, ',')) return false;
        if (!type->inner->read(type->inner, from, entry + type->offset) || !accept(from, ']')) return false;
    } while (accept(from, ','));
    return accept(from, ']') && sort_entries(type, map) != NULL;
}

bool ractor_write_map_(const ractor_type *type, const void *from, ractor_buffer *to) {
    const list *map = (const list *)from;
    sorted *entries = sort_entries(type, map);
    if (entries == NULL) return false;
    append_byte(to, '[');
    for (size_t i = 0; i < map->count; i++) {
        append_text(to, i > 0 ? ",[" : "[");
        append(to, entries[i].key.ptr, entries[i].key.len);
        append_byte(to, ',');
        if (!type->inner->write(type->inner, entries[i].entry + type->offset, to)) return false;
        append_byte(to, ']');
    }
    append_byte(to, ']');
    return true;
}

// ---- The types --------------------------------------------------------------------------------------------------------------------------

#define SCALAR(T, C, decode, encode, read, write) \
    const ractor_type ractor_type_##T = {#T, sizeof(C), sizeof(C), 0, 0, NULL, NULL, decode, encode, read, write};
#define NUMBER(T, C, read, write) SCALAR(T, C, decode_scalar, encode_scalar, read, write)
NUMBER(u8, uint8_t, read_small, write_small)
NUMBER(u16, uint16_t, read_small, write_small)
NUMBER(u32, uint32_t, read_small, write_small)
NUMBER(u64, uint64_t, read_large, write_large)
NUMBER(u128, ractor_u128, read_large, write_large)
NUMBER(i8, int8_t, read_small, write_small)
NUMBER(i16, int16_t, read_small, write_small)
NUMBER(i32, int32_t, read_small, write_small)
NUMBER(i64, int64_t, read_large, write_large)
NUMBER(i128, ractor_i128, read_large, write_large)
NUMBER(f32, float, read_f32, write_f32)
NUMBER(f64, double, read_f64, write_f64)
SCALAR(char, ractor_char, decode_char, encode_char, read_char, write_char)
// Its name might be a macro.
const ractor_type ractor_type_bool = {"bool", sizeof(bool), 1, 0, 0, NULL, NULL, decode_bool, encode_bool, read_bool, write_bool};

#define LIST(T, C) \
    const ractor_type ractor_type_list_##T = {"list<", sizeof(list), 0, 0, sizeof(C), NULL, &ractor_type_##T, decode_list, encode_list, \
        ractor_read_list_, ractor_write_list_};
RACTOR_EACH_ELEMENT_(LIST)
const ractor_type ractor_type_list_bool = {"list<", sizeof(list), 0, 0, sizeof(bool), NULL, &ractor_type_bool, decode_list, encode_list,
    ractor_read_list_, ractor_write_list_};

const ractor_type ractor_type_string = {"string", sizeof(ractor_str), 0, 0, 0, NULL, NULL, ractor_decode_json_, ractor_encode_json_,
    read_string, write_string};
const ractor_type ractor_type_bytes = {"bytes", sizeof(ractor_bytes), 0, 0, 0, NULL, NULL, ractor_decode_bytes_, ractor_encode_bytes_,
    ractor_read_bytes_, ractor_write_bytes_};
const ractor_type ractor_type_unit = {"unit", sizeof(ractor_c_unit), 0, 0, 0, NULL, NULL, decode_unit, encode_unit, read_unit, write_unit};
const ractor_type ractor_type_list_string = {"list<", sizeof(list), 0, 0, sizeof(ractor_str), NULL, &ractor_type_string, NULL, NULL,
    ractor_read_list_, ractor_write_list_};
const ractor_type ractor_type_list_bytes = {"list<", sizeof(list), 0, 0, sizeof(ractor_bytes), NULL, &ractor_type_bytes, NULL, NULL,
    ractor_read_list_, ractor_write_list_};

// ---- Portable state ---------------------------------------------------------------------------------------------------------------------

// Why something failed. It is handed on when the handler returns.
static ractor_str failure;

ractor_status ractor_fail(const char *how, ...) {
    va_list values;
    va_start(values, how);
    failure = format(how, values);
    va_end(values);
    return RACTOR_FAILED;
}

ractor_status ractor_fail_with(const char *what, ractor_error error) {
    return ractor_fail("%s: %.*s", what, RACTOR_PRINT(ractor_error_text(error)));
}

ractor_status ractor_write_state(const void *self, const ractor_field *fields, size_t count, ractor_bytes *state) {
    ractor_buffer json = {0};
    append_text(&json, "{\"ractor-state\":1,\"fields\":{");
    for (size_t i = 0; i < count; i++) {
        ractor_str name = tag_of_field(&fields[i]);
        if (i > 0) append_byte(&json, ',');
        write_text(&json, name);
        append_text(&json, ":{\"type\":");
        write_text(&json, ractor_type_name(fields[i].type));
        append_text(&json, ",\"value\":");
        if (!fields[i].type->write(fields[i].type, (const uint8_t *)self + fields[i].offset, &json))
            return ractor_fail("the value of the field `%.*s` is no %.*s", RACTOR_PRINT(name), RACTOR_PRINT(ractor_type_name(fields[i].type)));
        append_byte(&json, '}');
    }
    append_text(&json, "}}");
    *state = bytes_of(&json);
    return RACTOR_OK;
}

// Takes a key, and leaves the reader at its value.
static bool read_key(ractor_reader *from, ractor_str *key) { return read_text(from, key) && accept(from, ':'); }

// Takes `{"type": …, "value": …}` in any order, and nothing else.
static bool read_typed(ractor_reader *from, ractor_str *type, ractor_reader *value) {
    bool has_type = false, has_value = false;
    ractor_str key;
    if (!accept(from, '{')) return false;
    do {
        if (!read_key(from, &key)) return false;
        if (ractor_equal(key, "type") && !has_type) {
            has_type = true;
            if (!read_text(from, type)) return false;
        } else if (ractor_equal(key, "value") && !has_value) {
            has_value = true;
            value->at = from->at;
            // Deep values are for the type to refuse, which has seen here that they are JSON.
            if (!skip_value(from, 0, NULL)) return false;
            value->end = from->at;
        } else {
            return false;
        }
    } while (accept(from, ','));
    return accept(from, '}') && has_type && has_value;
}

static ractor_status read_field(void *self, const ractor_field *field, ractor_str type, ractor_reader value) {
    ractor_str declared = ractor_type_name(field->type), name = tag_of_field(field);
    if (!same_text(type, declared))
        return ractor_fail("the field `%.*s` is declared as %.*s, and the state has a %.*s", RACTOR_PRINT(name), RACTOR_PRINT(declared),
            RACTOR_PRINT(type));
    if (!field->type->read(field->type, &value, (uint8_t *)self + field->offset) || !at_end(&value))
        return ractor_fail("the value of the field `%.*s` is no %.*s", RACTOR_PRINT(name), RACTOR_PRINT(declared));
    return RACTOR_OK;
}

static ractor_status read_fields(void *self, const ractor_field *fields, size_t count, ractor_reader *from) {
    bool *seen = (bool *)ractor_alloc(count);
    if (!accept(from, '{')) return ractor_fail("the state is not portable: its `fields` are no object");
    if (!accept(from, '}')) {
        do {
            ractor_str name, type;
            ractor_reader value;
            if (!read_key(from, &name)) return ractor_fail("the state is not portable: it is no JSON");
            if (!read_typed(from, &type, &value))
                return ractor_fail("the state is not portable: the field `%.*s` is not `{\"type\": …, \"value\": …}`", RACTOR_PRINT(name));
            size_t i = 0;
            while (i < count && !same_text(tag_of_field(&fields[i]), name)) i++;
            if (i == count) return ractor_fail("the state has a field `%.*s` that is not declared", RACTOR_PRINT(name));
            if (seen[i]) return ractor_fail("the state is not portable: it has the field `%.*s` twice", RACTOR_PRINT(name));
            seen[i] = true;
            if (read_field(self, &fields[i], type, value) != RACTOR_OK) return RACTOR_FAILED;
        } while (accept(from, ','));
        if (!accept(from, '}')) return ractor_fail("the state is not portable: it is no JSON");
    }
    for (size_t i = 0; i < count; i++) {
        if (seen[i]) continue;
        ractor_str name = tag_of_field(&fields[i]);
        if (fields[i].fallback == NULL) return ractor_fail("the state lacks the field `%.*s`", RACTOR_PRINT(name));
        // By way of its JSON, so that it has memory of its own as if it had been there.
        ractor_buffer json = {0};
        const ractor_type *type = fields[i].type;
        bool written = type->write(type, fields[i].fallback, &json);
        ractor_reader again = {(const char *)json.ptr, (const char *)json.ptr + json.len};
        if (!written || !type->read(type, &again, (uint8_t *)self + fields[i].offset))
            return ractor_fail("the value that the field `%.*s` has without one is no %.*s", RACTOR_PRINT(name),
                RACTOR_PRINT(ractor_type_name(type)));
    }
    return RACTOR_OK;
}

ractor_status ractor_read_state(void *self, const ractor_field *fields, size_t count, ractor_bytes state) {
    const char *text = (const char *)state.ptr;
    if (state.len == 0 || !is_utf8(text, state.len)) return ractor_fail("the state is not portable: it is no UTF-8");
    ractor_reader from = {text, text + state.len}, inside = {NULL, NULL};
    bool versioned = false;
    ractor_str key, version;
    if (!accept(&from, '{')) return ractor_fail("the state is not portable: it is no JSON object");
    do {
        if (!read_key(&from, &key)) return ractor_fail("the state is not portable: it is no JSON");
        if (ractor_equal(key, "ractor-state") && !versioned) {
            versioned = true;
            if (!read_number(&from, &version) || number_of(version) != 1)
                return ractor_fail("the state is not portable: its `ractor-state` is not 1");
        } else if (ractor_equal(key, "fields") && inside.at == NULL) {
            inside.at = from.at;
            if (!skip_value(&from, -DEEPEST, NULL)) return ractor_fail("the state is not portable: it is no JSON, or nested too deep");
            inside.end = from.at;
        } else {
            return ractor_fail("the state is not portable: it has a key `%.*s`", RACTOR_PRINT(key));
        }
    } while (accept(&from, ','));
    if (!accept(&from, '}') || !at_end(&from)) return ractor_fail("the state is not portable: it is no JSON");
    if (!versioned || inside.at == NULL) return ractor_fail("the state is not portable: it lacks `ractor-state` or `fields`");
    return read_fields(self, fields, count, &inside);
}

// ---- What goes on -----------------------------------------------------------------------------------------------------------------------

// The actor, once the first export was called.
static const ractor_actor *actor;

// One run of a handler, and of all the functions that it goes on in. 0 is none.
typedef struct turn {
    uint64_t number;
    // The call that it handles, or 0.
    ractor_open_call call;
    bool is_call;
} turn;

static turn current;
static uint64_t turns = 0;

// A turn that is not done.
typedef struct pending_turn {
    struct pending_turn *next;
    uint64_t number;
} pending_turn;

static pending_turn *pending = NULL;

// A reply or a timer that somebody waits for.
typedef struct waiter {
    struct waiter *next;
    ractor_token token;
    turn of;
    // Of a reply; of a timer, NULL.
    const ractor_type *type;
    ractor_then_ adapter;
    ractor_function_ then;
    void *context;
} waiter;

static waiter *waiters = NULL;

// `import_pending`, once there is something to wait for: an actor that never waits doesn't import it.
static void (*say_pending)(int32_t);

static void wait_for(ractor_token token, const ractor_type *type, ractor_then_ adapter, ractor_function_ then, void *context) {
    waiter *added = (waiter *)allocate(sizeof *added);
    *added = (waiter){waiters, token, current, type, adapter, then, context};
    waiters = added;
    say_pending = import_pending;
}

// Takes it out of the list. False if there is none.
static bool stop_waiting(ractor_token token, bool timer, waiter *found) {
    for (waiter **at = &waiters; *at != NULL; at = &(*at)->next) {
        waiter *one = *at;
        if (one->token != token || (one->type == NULL) != timer) continue;
        *at = one->next;
        *found = *one;
        free(one);
        return true;
    }
    return false;
}

static bool is_waited_for(uint64_t number) {
    for (const waiter *one = waiters; one != NULL; one = one->next)
        if (one->of.number == number) return true;
    return false;
}

static void begin_turn(ractor_open_call call, bool is_call) { current = (turn){++turns, call, is_call}; }

// Keeps the books of what is pending.
static ractor_status end_turn(ractor_status status) {
    pending_turn **at = &pending;
    while (*at != NULL && (*at)->number != current.number) at = &(*at)->next;
    if (status == RACTOR_PENDING && !is_waited_for(current.number))
        status = ractor_fail("a handler is pending, but waits for no reply and no timer");
    if (status == RACTOR_PENDING && *at == NULL) {
        pending_turn *added = (pending_turn *)allocate(sizeof *added);
        *added = (pending_turn){pending, current.number};
        pending = added;
    } else if (status != RACTOR_PENDING && *at != NULL) {
        pending_turn *done = *at;
        *at = done->next;
        free(done);
    }
    return status;
}

// ---- Functions for handlers ---------------------------------------------------------------------------------------------------------------

#define SPREAD(text) (text).ptr, (text).len

static const char *const WORDS[] = {"no-error", "unknown-actor", "stopped", "too-large", "timeout", "no-reply", "would-deadlock",
    "overloaded", "denied", "failed", "too-many", "unknown-module", "name-taken", "unknown-call", "too-late", "invalid"};

ractor_str ractor_error_word(ractor_error error) { return ractor_text(WORDS[error.kind]); }

ractor_str ractor_error_text(ractor_error error) {
    if (error.reason.len == 0) return ractor_error_word(error);
    return ractor_format("%s: %.*s", WORDS[error.kind], RACTOR_PRINT(error.reason));
}

static ractor_error error_of(ractor_error_kind kind) { return (ractor_error){kind, {NULL, 0}}; }

// Errors of a call, and of a cast, in the order of the WIT.
static ractor_error call_error_of(call_error error) {
    ractor_error made = error_of((ractor_error_kind)(RACTOR_UNKNOWN_ACTOR + error.kind));
    if (made.kind == RACTOR_FAILED_CALL) made.reason = error.reason;
    return made;
}

static ractor_error nothing_or(nothing_or_kind result, const ractor_error_kind *kinds) {
    return error_of(result.failed ? kinds[result.kind] : RACTOR_NO_ERROR);
}

static ractor_error invalid(ractor_str why) { return (ractor_error){RACTOR_INVALID, why}; }

ractor_error ractor_cast(ractor_pid to, ractor_sendable message) {
    if (message.fault.len > 0) return invalid(message.fault);
    nothing_or_kind result;
    import_cast(to.node, to.id, SPREAD(message.tag), SPREAD(message.arguments), &result);
    return error_of(result.failed ? (ractor_error_kind)(RACTOR_UNKNOWN_ACTOR + result.kind) : RACTOR_NO_ERROR);
}

static ractor_error decode_reply(const ractor_type *type, ractor_bytes bytes, void *reply) {
    if (ractor_decode(type, bytes, reply)) return error_of(RACTOR_NO_ERROR);
    memset(reply, 0, type->size);
    return invalid(ractor_format("the reply is no %.*s", RACTOR_PRINT(ractor_type_name(type))));
}

ractor_error ractor_call(ractor_pid to, ractor_sendable message, uint64_t timeout_ms, const ractor_type *type, void *reply) {
    ractor_c_unit nothing;
    if (reply == NULL) reply = &nothing;
    memset(reply, 0, type->size);
    if (message.fault.len > 0) return invalid(message.fault);
    bytes_or_error result;
    import_call(to.node, to.id, SPREAD(message.tag), SPREAD(message.arguments), timeout_ms != RACTOR_FOREVER, timeout_ms, &result);
    return result.failed ? call_error_of(result.is.error) : decode_reply(type, result.is.bytes, reply);
}

ractor_error ractor_ask_(ractor_pid to, ractor_sendable message, uint64_t timeout_ms, const ractor_type *type, ractor_then_ adapter,
    ractor_function_ then, void *context, ractor_token *token) {
    if (token != NULL) *token = 0;
    if (message.fault.len > 0) return invalid(message.fault);
    number_or_error result;
    import_ask(to.node, to.id, SPREAD(message.tag), SPREAD(message.arguments), timeout_ms != RACTOR_FOREVER, timeout_ms, &result);
    if (result.failed) return call_error_of(result.is.error);
    if (token != NULL) *token = result.is.number;
    wait_for(result.is.number, type, adapter, then, context);
    return error_of(RACTOR_NO_ERROR);
}

bool ractor_give_up(ractor_token token) {
    waiter gone;
    return stop_waiting(token, false, &gone) && import_give_up(token);
}

ractor_open_call ractor_this_call(void) { return current.call; }

ractor_error ractor_reply_(ractor_open_call call, const ractor_type *type, const void *value) {
    static const ractor_error_kind KINDS[] = {RACTOR_UNKNOWN_CALL, RACTOR_TOO_LATE, RACTOR_TOO_LARGE};
    ractor_bytes bytes;
    nothing_or_kind result;
    if (!ractor_encode(type, value, &bytes))
        return invalid(ractor_format("the reply is no %.*s", RACTOR_PRINT(ractor_type_name(type))));
    import_reply(call, SPREAD(bytes), &result);
    return nothing_or(result, KINDS);
}

void ractor_fail_call(ractor_open_call call, const char *how, ...) {
    va_list values;
    va_start(values, how);
    ractor_str why = format(how, values);
    va_end(values);
    import_fail_call(call, SPREAD(why));
}

void ractor_drop_call(ractor_open_call call) { import_drop_call(call); }

bool ractor_is_waiting(ractor_open_call call) { return import_is_waiting(call); }

bool ractor_metadata(ractor_bytes *metadata) {
    option_bytes result;
    import_metadata(&result);
    *metadata = result.some ? result.value : (ractor_bytes){NULL, 0};
    return result.some;
}

bool ractor_trace_context(ractor_trace *trace) {
    option_trace result;
    import_trace_context(&result);
    *trace = result.some ? result.value : (ractor_trace){{NULL, 0}, {NULL, 0}};
    return result.some;
}

ractor_pid ractor_self(void) {
    ractor_pid self;
    import_self_pid(&self);
    return self;
}

static bool some_text(option_str result, ractor_str *text) {
    *text = result.some ? result.value : (ractor_str){NULL, 0};
    return result.some;
}

bool ractor_self_name(ractor_str *name) {
    option_str result;
    import_self_name(&result);
    return some_text(result, name);
}

ractor_str ractor_node(void) {
    ractor_str name;
    import_node_name(&name);
    return name;
}

static bool some_pid(option_pid result, ractor_pid *pid) {
    *pid = result.some ? result.value : (ractor_pid){0, 0};
    return result.some;
}

bool ractor_where_is(ractor_str name, ractor_pid *found) {
    option_pid result;
    name = printable(name);
    import_where_is(SPREAD(name), &result);
    return some_pid(result, found);
}

bool ractor_address(ractor_pid of, ractor_bytes *address) {
    option_bytes result;
    import_address(of.node, of.id, &result);
    *address = result.some ? result.value : (ractor_bytes){NULL, 0};
    return result.some;
}

bool ractor_resolve(ractor_bytes address, ractor_pid *found) {
    option_pid result;
    import_resolve(SPREAD(address), &result);
    return some_pid(result, found);
}

// A text that may not be there, as two or three parameters of an import.
static ractor_str optional(const ractor_str *text) { return text == NULL ? (ractor_str){NULL, 0} : printable(*text); }

void ractor_join_in(const ractor_str *scope, ractor_str group) {
    ractor_str within = optional(scope);
    group = printable(group);
    import_join(SPREAD(group), scope != NULL, SPREAD(within));
}

void ractor_leave_in(const ractor_str *scope, ractor_str group) {
    ractor_str within = optional(scope);
    group = printable(group);
    import_leave(SPREAD(group), scope != NULL, SPREAD(within));
}

ractor_pids ractor_members_in(const ractor_str *scope, ractor_str group) {
    ractor_str within = optional(scope);
    ractor_pids members;
    group = printable(group);
    import_members(SPREAD(group), scope != NULL, SPREAD(within), &members);
    return members;
}

ractor_pids ractor_local_members_in(const ractor_str *scope, ractor_str group) {
    ractor_str within = optional(scope);
    ractor_pids members;
    group = printable(group);
    import_local_members(SPREAD(group), scope != NULL, SPREAD(within), &members);
    return members;
}

ractor_strs ractor_groups_in(const ractor_str *scope) {
    ractor_str within = optional(scope);
    ractor_strs groups;
    import_which_groups(scope != NULL, SPREAD(within), &groups);
    return groups;
}

void ractor_monitor_group_in(const ractor_str *scope, ractor_str group) {
    ractor_str within = optional(scope);
    group = printable(group);
    import_monitor_group(SPREAD(group), scope != NULL, SPREAD(within));
}

void ractor_demonitor_group_in(const ractor_str *scope, ractor_str group) {
    ractor_str within = optional(scope);
    group = printable(group);
    import_demonitor_group(SPREAD(group), scope != NULL, SPREAD(within));
}

static ractor_error timer_of(number_or_kind result, ractor_token *timer) {
    static const ractor_error_kind KINDS[] = {RACTOR_TOO_MANY, RACTOR_TOO_LARGE, RACTOR_DENIED};
    if (timer != NULL) *timer = result.failed ? 0 : result.is.number;
    return error_of(result.failed ? KINDS[result.is.kind] : RACTOR_NO_ERROR);
}

ractor_error ractor_send_after(ractor_pid to, ractor_sendable message, uint64_t delay_ms, ractor_token *timer) {
    if (message.fault.len > 0) return invalid(message.fault);
    number_or_kind result;
    import_send_after(to.node, to.id, SPREAD(message.tag), SPREAD(message.arguments), delay_ms, &result);
    return timer_of(result, timer);
}

ractor_error ractor_send_interval(ractor_pid to, ractor_sendable message, uint64_t period_ms, ractor_token *timer) {
    if (message.fault.len > 0) return invalid(message.fault);
    number_or_kind result;
    import_send_interval(to.node, to.id, SPREAD(message.tag), SPREAD(message.arguments), period_ms, &result);
    return timer_of(result, timer);
}

ractor_error ractor_stop_after(uint64_t delay_ms, ractor_token *timer) {
    number_or_kind result;
    import_stop_after(delay_ms, &result);
    return timer_of(result, timer);
}

ractor_error ractor_wake_after(uint64_t delay_ms, ractor_status (*then)(void *context), void *context, ractor_token *timer) {
    number_or_kind result;
    import_wake_after(delay_ms, &result);
    if (!result.failed) wait_for(result.is.number, NULL, NULL, (ractor_function_)then, context);
    return timer_of(result, timer);
}

bool ractor_cancel_timer(ractor_token timer) {
    waiter gone;
    stop_waiting(timer, true, &gone);
    return import_cancel_timer(timer);
}

ractor_error ractor_spawn(ractor_child child, ractor_pid *pid) {
    static const ractor_error_kind KINDS[] = {RACTOR_DENIED, RACTOR_UNKNOWN_MODULE, RACTOR_NAME_TAKEN, RACTOR_TOO_MANY, RACTOR_FAILED_CALL};
    ractor_str module = printable(child.module), name = printable(child.name);
    ractor_str *groups = (ractor_str *)take((child.groups.count + 1) * sizeof *groups, ALIGNMENT);
    for (size_t i = 0; i < child.groups.count; i++) groups[i] = printable(child.groups.items[i]);
    pid_or_error result;
    import_spawn(SPREAD(module), name.len > 0, SPREAD(name), SPREAD(child.arguments), groups, child.groups.count, (int32_t)child.restart, &result);
    if (pid != NULL) *pid = result.failed ? (ractor_pid){0, 0} : result.is.pid;
    if (!result.failed) return error_of(RACTOR_NO_ERROR);
    ractor_error error = error_of(KINDS[result.is.error.kind]);
    if (error.kind == RACTOR_FAILED_CALL) error.reason = result.is.error.reason;
    return error;
}

ractor_pids ractor_children(void) {
    ractor_pids children;
    import_children(&children);
    return children;
}

bool ractor_supervisor(ractor_pid *supervisor) {
    option_pid result;
    import_supervisor(&result);
    return some_pid(result, supervisor);
}

void ractor_stop(ractor_str reason) {
    reason = printable(reason);
    import_stop(reason.len > 0, SPREAD(reason));
}

void ractor_exit(ractor_str reason) {
    reason = printable(reason);
    import_exit(SPREAD(reason));
    // Not reached: the node ended this instance.
    abort();
}

bool ractor_stop_child(ractor_pid child, ractor_str reason) {
    reason = printable(reason);
    return import_stop_child(child.node, child.id, reason.len > 0, SPREAD(reason));
}

bool ractor_kill_child(ractor_pid child) { return import_kill_child(child.node, child.id); }

ractor_error ractor_monitor(ractor_pid other) {
    static const ractor_error_kind KINDS[] = {RACTOR_UNKNOWN_ACTOR, RACTOR_TOO_MANY};
    nothing_or_kind result;
    import_monitor(other.node, other.id, &result);
    return nothing_or(result, KINDS);
}

void ractor_demonitor(ractor_pid other) { import_demonitor(other.node, other.id); }

bool ractor_config(ractor_str key, ractor_str *value) {
    option_str result;
    key = printable(key);
    import_config_value(SPREAD(key), &result);
    return some_text(result, value);
}

ractor_settings ractor_config_entries(void) {
    ractor_settings entries;
    import_config_entries(&entries);
    return entries;
}

void ractor_log_with(ractor_level level, ractor_str message, ractor_settings fields) {
    ractor_setting *clean = (ractor_setting *)take((fields.count + 1) * sizeof *clean, ALIGNMENT);
    for (size_t i = 0; i < fields.count; i++)
        clean[i] = (ractor_setting){printable(fields.items[i].key), printable(fields.items[i].value)};
    message = printable(message);
    const char *target = actor == NULL ? "" : actor->name;
    import_log((int32_t)level, target, strlen(target), SPREAD(message), clean, fields.count);
}

void ractor_log(ractor_level level, const char *how, ...) {
    va_list values;
    va_start(values, how);
    ractor_log_with(level, format(how, values), (ractor_settings){NULL, 0});
    va_end(values);
}

void ractor_random(void *bytes, size_t count) {
    uint8_t *to = (uint8_t *)bytes;
    while (count > 0) {
        // More at once, and the actor fails.
        size_t some = count < 65536 ? count : 65536;
        ractor_bytes drawn;
        import_random((int32_t)some, &drawn);
        memcpy(to, drawn.ptr, some);
        to += some;
        count -= some;
    }
}

uint64_t ractor_random_u64(void) {
    uint64_t drawn;
    ractor_random(&drawn, sizeof drawn);
    return drawn;
}

ractor_status ractor_portable_snapshot(ractor_bytes *state) {
    return ractor_write_state(actor->self, actor->fields, actor->field_count, state);
}

ractor_status ractor_portable_restore(ractor_bytes state) {
    return ractor_read_state(actor->self, actor->fields, actor->field_count, state);
}

// ---- Exports ------------------------------------------------------------------------------------------------------------------------------

typedef struct nothing_or_text {
    uint8_t failed;
    ractor_str text;
} nothing_or_text;

typedef struct bytes_or_text {
    uint8_t failed;
    union {
        ractor_bytes bytes;
        ractor_str text;
    } is;
} bytes_or_text;

typedef enum answer_kind { ANSWER_REPLY, ANSWER_LATER, ANSWER_FAILED } answer_kind;

typedef struct answer {
    uint8_t kind;
    union {
        ractor_bytes reply;
        ractor_str reason;
    } is;
} answer;

typedef struct answer_or_text {
    uint8_t failed;
    union {
        answer answer;
        ractor_str text;
    } is;
} answer_or_text;

typedef struct option_bytes_or_text {
    uint8_t failed;
    union {
        option_bytes reply;
        ractor_str text;
    } is;
} option_bytes_or_text;

typedef struct cast_sizes {
    uint32_t tag, arguments;
} cast_sizes;

// The tags of the handlers.
static ractor_str *tags;

static void enter(void) {
    begin();
    failure = (ractor_str){NULL, 0};
    if (actor != NULL) return;
    actor = ractor_the_actor();
    tags = (ractor_str *)lasting(actor->handler_count * sizeof *tags);
    for (size_t i = 0; i < actor->handler_count; i++) {
        ractor_str tag = tag_of(actor->handlers[i].message);
        tags[i] = (ractor_str){(const char *)memcpy(lasting(tag.len), tag.ptr, tag.len), tag.len};
    }
}

static void leave(void) {
    if (pending != NULL) say_pending(actor->reentrant ? 1 : 0);
    current = (turn){0, 0, false};
    finished = true;
}

static nothing_or_text *leave_with(ractor_status status) {
    static nothing_or_text result;
    leave();
    result = (nothing_or_text){status == RACTOR_FAILED, failure};
    return &result;
}

static const ractor_handler *find(ractor_str tag, bool call) {
    for (size_t i = 0; i < actor->handler_count; i++)
        if (same_text(tags[i], tag) && (actor->handlers[i].message->reply != NULL) == call) return &actor->handlers[i];
    return NULL;
}

// A failed cast, or what it goes on in, is the actor's end, unless it was asked to go on.
static ractor_status after_cast(ractor_status status) {
    if (status != RACTOR_FAILED || actor->failed_casts == RACTOR_FAIL_ACTOR) return status;
    ractor_log(RACTOR_ERROR, "a cast failed: %.*s", RACTOR_PRINT(failure));
    return RACTOR_OK;
}

static ractor_status handle_cast(ractor_str tag, ractor_bytes arguments) {
    const ractor_handler *handler = find(tag, false);
    void *values[RACTOR_ARGUMENTS];
    ractor_str fault;
    if (handler == NULL) {
        ractor_log(RACTOR_WARN, "dropped a cast %.*s, which is not understood", RACTOR_PRINT(tag));
        return RACTOR_OK;
    }
    if (!decode_arguments(handler->message, arguments, values, &fault)) {
        ractor_log(RACTOR_WARN, "dropped a cast %.*s: %.*s", RACTOR_PRINT(tag), RACTOR_PRINT(fault));
        return RACTOR_OK;
    }
    begin_turn(0, false);
    return after_cast(end_turn(handler->run(actor->self, values, NULL)));
}

static answer no_reply(ractor_str why) {
    answer made = {ANSWER_FAILED, {{NULL, 0}}};
    made.is.reason = why;
    return made;
}

static answer handle_call(ractor_str tag, ractor_bytes arguments, ractor_open_call call) {
    const ractor_handler *handler = find(tag, true);
    void *values[RACTOR_ARGUMENTS];
    ractor_str fault;
    if (handler == NULL) return no_reply(ractor_format("%s understands no call %.*s", actor->name, RACTOR_PRINT(tag)));
    if (!decode_arguments(handler->message, arguments, values, &fault))
        return no_reply(ractor_format("%.*s: %.*s", RACTOR_PRINT(tag), RACTOR_PRINT(fault)));
    const ractor_type *type = handler->message->reply;
    void *reply = ractor_alloc(type->size);
    begin_turn(call, true);
    ractor_status status = end_turn(handler->run(actor->self, values, reply));
    if (status == RACTOR_FAILED) return no_reply(failure);
    answer made = {ANSWER_LATER, {{NULL, 0}}};
    if (status != RACTOR_OK) return made;
    made.kind = ANSWER_REPLY;
    if (ractor_encode(type, reply, &made.is.reply)) return made;
    return no_reply(ractor_format("the reply to %.*s is no %.*s", RACTOR_PRINT(tag), RACTOR_PRINT(ractor_type_name(type))));
}

EXPORT("actor", "pre-start") nothing_or_text *export_pre_start(const uint8_t *ptr, size_t len) {
    enter();
    begin_turn(0, false);
    const ractor_type *type = actor->start->type;
    ractor_bytes bytes = {ptr, len};
    void *argument = ractor_alloc(type->size);
    if (!ractor_decode(type, bytes, argument))
        return leave_with(ractor_fail("the start argument `%s` is no %.*s", actor->start->name, RACTOR_PRINT(ractor_type_name(type))));
    return leave_with(end_turn(actor->pre_start(actor->self, argument)));
}

EXPORT("actor", "post-start") nothing_or_text *export_post_start(void) {
    enter();
    begin_turn(0, false);
    return leave_with(end_turn(actor->post_start(actor->self)));
}

EXPORT("actor", "post-stop") nothing_or_text *export_post_stop(void) {
    enter();
    begin_turn(0, false);
    return leave_with(end_turn(actor->post_stop(actor->self)));
}

EXPORT("actor", "handle-cast")
nothing_or_text *export_handle_cast(const char *tag, size_t tag_len, const uint8_t *ptr, size_t len) {
    enter();
    return leave_with(handle_cast((ractor_str){tag, tag_len}, (ractor_bytes){ptr, len}));
}

EXPORT("calls", "handle-call")
answer_or_text *export_calls_handle_call(const char *tag, size_t tag_len, const uint8_t *ptr, size_t len, uint64_t call) {
    static answer_or_text result;
    enter();
    result.failed = 0;
    result.is.answer = handle_call((ractor_str){tag, tag_len}, (ractor_bytes){ptr, len}, call);
    leave();
    return &result;
}

// Of a node that knows nothing of `calls`: the caller isn't told the reason, so the log is.
EXPORT("actor", "handle-call")
option_bytes_or_text *export_handle_call(const char *tag, size_t tag_len, const uint8_t *ptr, size_t len, uint64_t call) {
    static option_bytes_or_text result;
    enter();
    answer answer = handle_call((ractor_str){tag, tag_len}, (ractor_bytes){ptr, len}, call);
    if (answer.kind == ANSWER_FAILED) {
        ractor_log(RACTOR_WARN, "dropped a call: %.*s", RACTOR_PRINT(answer.is.reason));
        import_drop_call(call);
    }
    result.failed = 0;
    result.is.reply = (option_bytes){answer.kind == ANSWER_REPLY, answer.is.reply};
    leave();
    return &result;
}

static ractor_event subject_event(ractor_event_kind kind, const ractor_pid *pid, const ractor_str *name, const ractor_str *reason) {
    ractor_event event;
    memset(&event, 0, sizeof event);
    event.kind = kind;
    event.actor = *pid;
    event.name = name;
    event.reason = reason;
    return event;
}

// The four cases of an event share their parameters. Of a change of a group, the first two are those of its scope.
EXPORT("actor", "handle-supervisor-evt")
nothing_or_text *export_handle_supervisor_evt(int32_t kind, uint64_t node_or_scoped, uint64_t id_or_scope, uintptr_t named_or_scope_len,
    uintptr_t name_or_group, size_t name_len_or_group_len, uintptr_t reasoned_or_change, uintptr_t reason_or_actors,
    size_t reason_len_or_actor_count) {
    enter();
    ractor_event event;
    ractor_str scope = {(const char *)(uintptr_t)id_or_scope, named_or_scope_len};
    ractor_str name = {(const char *)name_or_group, name_len_or_group_len};
    ractor_str reason = {(const char *)reason_or_actors, reason_len_or_actor_count};
    if (kind == RACTOR_GROUP_CHANGED) {
        memset(&event, 0, sizeof event);
        event.kind = RACTOR_GROUP_CHANGED;
        event.scope = node_or_scoped ? &scope : NULL;
        event.group = name;
        event.joined = reasoned_or_change == 0;
        event.actors = (ractor_pids){(const ractor_pid *)reason_or_actors, reason_len_or_actor_count};
    } else {
        ractor_pid pid = {node_or_scoped, id_or_scope};
        bool reasoned = kind != RACTOR_STARTED && reasoned_or_change != 0;
        event = subject_event((ractor_event_kind)kind, &pid, named_or_scope_len ? &name : NULL, reasoned ? &reason : NULL);
    }
    begin_turn(0, false);
    return leave_with(end_turn(actor->on_event(actor->self, &event)));
}

// Goes on with what waited. A call that fails here fails, and its actor lives.
static ractor_status go_on(const waiter *with, ractor_error error, const void *reply) {
    current = with->of;
    ractor_status status = with->type == NULL ? ((ractor_status (*)(void *))with->then)(with->context)
                                              : with->adapter(with->then, with->context, error, reply);
    status = end_turn(status);
    if (!current.is_call) return after_cast(status);
    if (status == RACTOR_FAILED) import_fail_call(current.call, SPREAD(failure));
    return RACTOR_OK;
}

EXPORT("replies", "handle-reply")
nothing_or_text *export_handle_reply(uint64_t token, int32_t failed, uintptr_t bytes_or_kind, uintptr_t len_or_reason, size_t reason_len) {
    enter();
    waiter with;
    // Whoever asked has been replaced by new code, or gave up.
    if (!stop_waiting(token, false, &with)) return leave_with(RACTOR_OK);
    void *reply = ractor_alloc(with.type->size);
    call_error why = {(uint8_t)bytes_or_kind, {(const char *)len_or_reason, reason_len}};
    ractor_error error = failed ? call_error_of(why) : decode_reply(with.type, (ractor_bytes){(const uint8_t *)bytes_or_kind, len_or_reason}, reply);
    return leave_with(go_on(&with, error, reply));
}

EXPORT("replies", "handle-wake") nothing_or_text *export_handle_wake(uint64_t timer) {
    enter();
    waiter with;
    if (!stop_waiting(timer, true, &with)) return leave_with(RACTOR_OK);
    return leave_with(go_on(&with, error_of(RACTOR_NO_ERROR), NULL));
}

EXPORT("batch", "handle-casts")
nothing_or_text *export_handle_casts(const uint8_t *bytes, size_t bytes_len, const cast_sizes *casts, size_t count) {
    (void)bytes_len;
    enter();
    ractor_status status = RACTOR_OK;
    // What a cast needs is given back behind it, and the batch itself stays.
    arena mark = memory;
    for (size_t i = 0; i < count && status == RACTOR_OK; i++) {
        if (i > 0 && !import_next_cast()) break;
        rewind_to(mark);
        ractor_str tag = {(const char *)bytes, casts[i].tag};
        ractor_bytes arguments = {bytes + casts[i].tag, casts[i].arguments};
        bytes += casts[i].tag + casts[i].arguments;
        status = handle_cast(tag, arguments);
        if (status == RACTOR_LATER) status = RACTOR_OK;
    }
    return leave_with(status);
}

EXPORT("reload", "snapshot") bytes_or_text *export_snapshot(void) {
    static bytes_or_text result;
    enter();
    ractor_bytes state = {NULL, 0};
    result.failed = actor->snapshot(actor->self, &state) == RACTOR_FAILED;
    if (result.failed) result.is.text = failure;
    else result.is.bytes = state;
    leave();
    return &result;
}

EXPORT("reload", "restore") nothing_or_text *export_restore(const uint8_t *ptr, size_t len, uint32_t version) {
    enter();
    return leave_with(actor->restore(actor->self, (ractor_bytes){ptr, len}, version));
}

EXPORT("reload", "post-reload") nothing_or_text *export_post_reload(void) {
    enter();
    begin_turn(0, false);
    return leave_with(end_turn(actor->post_reload(actor->self)));
}

// ---- What it is -----------------------------------------------------------------------------------------------------------------------------

typedef struct described_variant {
    ractor_str name;
    ractor_strs arguments;
    option_str reply;
} described_variant;

typedef struct descriptor {
    ractor_str name, version;
    uint32_t state_version;
    option_str arguments;
    struct {
        const described_variant *items;
        size_t count;
    } messages;
} descriptor;

typedef struct described_parameter {
    ractor_str name, type;
} described_parameter;

typedef struct described_parameters {
    const described_parameter *items;
    size_t count;
} described_parameters;

typedef struct described_message {
    ractor_str name, documentation;
    described_parameters arguments;
    option_str reply;
} described_message;

typedef struct described_schema {
    ractor_str name, format;
    ractor_bytes bytes;
} described_schema;

typedef struct contract {
    ractor_str name, version;
    uint32_t state_version;
    ractor_str documentation;
    struct {
        uint8_t some;
        described_parameter value;
    } start;
    struct {
        const described_message *items;
        size_t count;
    } messages;
    struct {
        const described_schema *items;
        size_t count;
    } schemas;
} contract;

static option_str optional_type(const ractor_type *type) {
    option_str none = {0, {NULL, 0}};
    return type == NULL ? none : (option_str){1, ractor_type_name(type)};
}

static described_parameters describe_parameters(const ractor_parameter *parameters) {
    size_t count = 0;
    while (parameters[count].type != NULL) count++;
    described_parameter *items = (described_parameter *)ractor_alloc(count * sizeof *items);
    for (size_t i = 0; i < count; i++)
        items[i] = (described_parameter){printable(ractor_text(parameters[i].name)), ractor_type_name(parameters[i].type)};
    return (described_parameters){items, count};
}

static bool has_start(void) { return actor->start->type != &ractor_type_unit; }

EXPORT("actor", "describe") descriptor *export_describe(void) {
    static descriptor result;
    enter();
    described_variant *messages = (described_variant *)ractor_alloc(actor->handler_count * sizeof *messages);
    for (size_t i = 0; i < actor->handler_count; i++) {
        described_parameters parameters = describe_parameters(actor->handlers[i].message->parameters);
        ractor_str *types = (ractor_str *)ractor_alloc(parameters.count * sizeof *types);
        for (size_t j = 0; j < parameters.count; j++) types[j] = parameters.items[j].type;
        messages[i].name = tags[i];
        messages[i].arguments = (ractor_strs){types, parameters.count};
        messages[i].reply = optional_type(actor->handlers[i].message->reply);
    }
    result.name = ractor_text(actor->name);
    result.version = ractor_text(actor->version);
    result.state_version = actor->state_version;
    result.arguments = optional_type(actor->start->type);
    result.messages.items = messages;
    result.messages.count = actor->handler_count;
    leave();
    return &result;
}

EXPORT("contract", "describe") contract *export_contract_describe(void) {
    static contract result;
    enter();
    described_message *messages = (described_message *)ractor_alloc(actor->handler_count * sizeof *messages);
    for (size_t i = 0; i < actor->handler_count; i++) {
        const ractor_message *message = actor->handlers[i].message;
        messages[i].name = tags[i];
        messages[i].documentation = printable(ractor_text(message->documentation));
        messages[i].arguments = describe_parameters(message->parameters);
        messages[i].reply = optional_type(message->reply);
    }
    described_schema *schemas = (described_schema *)ractor_alloc(actor->schema_count * sizeof *schemas);
    for (size_t i = 0; i < actor->schema_count; i++)
        schemas[i] = (described_schema){ractor_text(actor->schemas[i].name), ractor_text(actor->schemas[i].format), actor->schemas[i].bytes};
    result.name = ractor_text(actor->name);
    result.version = ractor_text(actor->version);
    result.state_version = actor->state_version;
    result.documentation = printable(ractor_text(actor->documentation));
    result.start.some = has_start();
    if (has_start()) result.start.value = describe_parameters(actor->start).items[0];
    result.messages.items = messages;
    result.messages.count = actor->handler_count;
    result.schemas.items = schemas;
    result.schemas.count = actor->schema_count;
    leave();
    return &result;
}
