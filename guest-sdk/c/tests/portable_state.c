// Reads and writes portable states that a driver gives, and says what became of them: `cargo xtask test` gives it tests/portable-state.
//
// Reads a file with lines `field NAME HEX-OF-TYPE [HEX-OF-DEFAULT]`, then `state HEX`. Writes `error TEXT`, or lines `value NAME MEANING`, then
// `written STATE`.

#include "ractor_testing.h"

#include <stdio.h>
#include <stdlib.h>

// The actor that ractor_testing.c wants to have.
typedef struct {
    int none;
} Nobody;
#define MESSAGES(CAST, CALL) CAST(ignored)
RACTOR_ACTOR(Nobody, RACTOR_NO_START, MESSAGES, RACTOR_NO_FIELDS)
static ractor_status pre_start(Nobody *self) { return self->none == 0 ? RACTOR_OK : RACTOR_FAILED; }
static ractor_status on_ignored(Nobody *self) { return pre_start(self); }

RACTOR_PROTOBUF(any_protobuf, "any")
RACTOR_OPAQUE(any_bytes, "any")
RACTOR_JSON(any_json, "any")
// For their functions; the sizes below fit every type.
RACTOR_OPTION(u8)
RACTOR_MAP(u8, u8)
#define ROOM 32
#define MOST_FIELDS 8

static const ractor_type *const NAMED[] = {&ractor_type_u8, &ractor_type_u16, &ractor_type_u32, &ractor_type_u64, &ractor_type_u128,
    &ractor_type_i8, &ractor_type_i16, &ractor_type_i32, &ractor_type_i64, &ractor_type_i128, &ractor_type_f32, &ractor_type_f64,
    &ractor_type_bool, &ractor_type_char, &ractor_type_string, &ractor_type_bytes, &ractor_type_unit};

static bool take_word(const char **text, const char *word) {
    size_t len = strlen(word);
    if (strncmp(*text, word, len) != 0) return false;
    *text += len;
    return true;
}

// A type from its name, as a compiler makes it from RACTOR_LIST, RACTOR_OPTION and RACTOR_MAP.
static const ractor_type *parse(const char **text) {
    ractor_type *made = (ractor_type *)calloc(1, sizeof *made);
    const char *start = *text;
    if (take_word(text, "list<")) {
        *made = ractor_type_list_u64;
        made->inner = parse(text);
        *text += 1;
    } else if (take_word(text, "option<")) {
        *made = ractor_type_option_u8;
        made->inner = parse(text);
        made->offset = 16;
        made->size = 16 + made->inner->size;
        *text += 1;
    } else if (take_word(text, "map<")) {
        *made = ractor_type_map_u8_u8;
        made->key = parse(text);
        *text += 2;
        made->inner = parse(text);
        made->offset = ROOM;
        made->stride = ROOM + (made->inner->size + 15) / 16 * 16;
        *text += 1;
    } else {
        size_t len = strcspn(start, ",>");
        bool formatted = start[len] == '>' && memchr(start, '<', len) != NULL;
        *text += formatted ? len + 1 : len;
        *made = take_word(&start, "protobuf") ? ractor_type_any_protobuf : take_word(&start, "json") ? ractor_type_any_json : ractor_type_any_bytes;
        start = *text - (formatted ? len + 1 : len);
        for (size_t i = 0; !formatted && i < sizeof NAMED / sizeof *NAMED; i++)
            if (strlen(NAMED[i]->name) == len && strncmp(NAMED[i]->name, start, len) == 0) *made = *NAMED[i];
        char *name = (char *)calloc(1, (size_t)(*text - start) + 1);
        memcpy(name, start, (size_t)(*text - start));
        made->name = name;
    }
    return made;
}

static void print_bytes(ractor_bytes bytes) {
    for (size_t i = 0; i < bytes.len; i++) printf("%02x", bytes.ptr[i]);
}

static void print_hex(const ractor_type *type, const void *value) {
    ractor_bytes bytes = *(const ractor_bytes *)value;
    // As they are in the state, and so without a length.
    if (type->read != ractor_read_bytes_ && !ractor_encode(type, value, &bytes)) printf("?");
    print_bytes(bytes);
}

typedef struct items {
    const uint8_t *items;
    size_t count;
} items;

static void print_meaning(const ractor_type *type, const uint8_t *value) {
    if (type->read == ractor_read_json_) {
        printf("{\"json\":%.*s}", RACTOR_PRINT(*(const ractor_str *)(const void *)value));
    } else if (type->read == ractor_read_option_) {
        if (!*(const bool *)value) {
            printf("{\"none\":true}");
            return;
        }
        printf("{\"some\":");
        print_meaning(type->inner, value + type->offset);
        printf("}");
    } else if (type->inner != NULL && (type->key != NULL || type->inner->wire == 0)) {
        items all;
        memcpy(&all, value, sizeof all);
        printf(type->key == NULL ? "{\"list\":[" : "{\"map\":[");
        for (size_t i = 0; i < all.count; i++) {
            const uint8_t *item = all.items + i * (type->key == NULL ? type->inner->size : type->stride);
            printf(i > 0 ? "," : "");
            if (type->key != NULL) {
                printf("[");
                print_meaning(type->key, item);
                printf(",");
            }
            print_meaning(type->inner, item + type->offset);
            printf(type->key == NULL ? "" : "]");
        }
        printf("]}");
    } else {
        printf("{\"hex\":\"");
        print_hex(type, value);
        printf("\"}");
    }
}

static size_t unhex(char *text) {
    size_t len = strlen(text) / 2;
    for (size_t i = 0; i < len; i++) {
        unsigned byte = 0;
        if (sscanf(text + 2 * i, "%2x", &byte) != 1) abort();
        text[i] = (char)byte;
    }
    text[len] = 0;
    return len;
}

// Reads the state, writes it, and reads that: what is there then has gone both ways.
static void run(const ractor_field *fields, size_t count, ractor_bytes state) {
    static _Alignas(16) uint8_t self[MOST_FIELDS * ROOM];
    ractor_bytes written = {NULL, 0};
    memset(self, 0, sizeof self);
    const char *fault = ractor_test_restore(self, fields, count, state);
    if (fault == NULL && ractor_write_state(self, fields, count, &written) != RACTOR_OK) fault = "it was read and can't be written";
    memset(self, 0, sizeof self);
    if (fault == NULL && ractor_test_restore(self, fields, count, written) != NULL) fault = "it was written and can't be read";
    if (fault != NULL) {
        printf("error %s\n", fault);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        printf("value %s ", fields[i].name);
        print_meaning(fields[i].type, self + fields[i].offset);
        printf("\n");
    }
    printf("written %.*s\n", (int)written.len, (const char *)written.ptr);
}

int main(int count_of_arguments, char **arguments) {
    FILE *in = count_of_arguments == 2 ? fopen(arguments[1], "r") : NULL;
    if (in == NULL) return EXIT_FAILURE;
    static char line[1 << 20], types[MOST_FIELDS][256], names[MOST_FIELDS][64];
    ractor_field fields[MOST_FIELDS] = {{0}};
    size_t count = 0;
    while (fgets(line, sizeof line, in) != NULL) {
        char *word = strtok(line, " \n"), *rest = strtok(NULL, " \n");
        if (strcmp(word, "state") == 0) {
            size_t len = rest == NULL ? 0 : unhex(rest);
            run(fields, count, (ractor_bytes){(const uint8_t *)rest, len});
            memset(fields, 0, sizeof fields);
            count = 0;
            continue;
        }
        if (count == MOST_FIELDS) abort();
        snprintf(names[count], sizeof *names, "%s", rest);
        char *type = strtok(NULL, " \n"), *fallback = strtok(NULL, " \n");
        unhex(type);
        snprintf(types[count], sizeof *types, "%s", type);
        const char *at = types[count];
        fields[count] = (ractor_field){names[count], NULL, parse(&at), count * ROOM, NULL};
        if (fallback != NULL) {
            ractor_bytes bytes = {(const uint8_t *)fallback, unhex(fallback)}, kept = {NULL, 0};
            void *value = calloc(1, ROOM);
            ractor_keep_bytes(&kept, bytes);
            if (!ractor_decode(fields[count].type, kept, value)) abort();
            fields[count].fallback = value;
        }
        count++;
    }
    return EXIT_SUCCESS;
}
