// The bytes of every type, both ways, and what is refused.

#include "ractor_testing.h"

#include <math.h>

#include "check.h"

RACTOR_PROTOBUF(order, "shop.Order")
RACTOR_JSON(basket, "shop.Basket")
RACTOR_OPAQUE(thing, "opaque<shop.Thing>")

#define TABLE(CAST, CALL) \
    CAST(nothing) \
    CAST(two, "Has two arguments.", (u64, number), (string, text)) \
    CAST((renamed, "another tag"), (bool, value)) \
    CAST(addAll, (list_u16, all)) \
    CALL(HTTP_get2, unit)
RACTOR_CLIENT(TABLE)

// The actor that ractor_testing.c wants to have.
typedef struct {
    int none;
} Nobody;
#define NO_MESSAGES(CAST, CALL) CAST(ignored)
RACTOR_ACTOR(Nobody, RACTOR_NO_START, NO_MESSAGES, RACTOR_NO_FIELDS)
static ractor_status pre_start(Nobody *self) { return self->none == 0 ? RACTOR_OK : RACTOR_FAILED; }
static ractor_status on_ignored(Nobody *self) { return pre_start(self); }

static size_t unhex(const char *hex, uint8_t *bytes) {
    size_t len = strlen(hex) / 2;
    for (size_t i = 0; i < len; i++) {
        unsigned byte = 0;
        CHECK(sscanf(hex + 2 * i, "%2x", &byte) == 1);
        bytes[i] = (uint8_t)byte;
    }
    return len;
}

static bool has_bytes(ractor_bytes bytes, const char *hex) {
    uint8_t expected[512];
    size_t len = unhex(hex, expected);
    return bytes.len == len && (len == 0 || memcmp(bytes.ptr, expected, len) == 0);
}

static bool encodes(const ractor_type *type, const void *value, const char *hex) {
    ractor_bytes bytes;
    return ractor_encode(type, value, &bytes) && has_bytes(bytes, hex);
}

static bool refuses(const ractor_type *type, const char *hex) {
    uint8_t bytes[512], value[64];
    size_t len = unhex(hex, bytes);
    return !ractor_decode(type, (ractor_bytes){bytes, len}, value);
}

// A value, its bytes, and the same value from them.
#define GOLDEN(T, hex, ...) \
    do { \
        ractor_c_##T value = __VA_ARGS__, again; \
        uint8_t bytes[512]; \
        size_t len = unhex(hex, bytes); \
        memset(&again, 0xa5, sizeof again); \
        CHECK(encodes(&ractor_type_##T, &value, hex)); \
        CHECK(ractor_decode(&ractor_type_##T, (ractor_bytes){bytes, len}, &again) && encodes(&ractor_type_##T, &again, hex)); \
    } while (0)

static void numbers(void) {
    GOLDEN(u8, "ff", 255);
    GOLDEN(u16, "0102", 0x0102);
    GOLDEN(u32, "01020304", 0x01020304);
    GOLDEN(u64, "ffffffffffffffff", UINT64_MAX);
    GOLDEN(u64, "0102030405060708", 0x0102030405060708);
    GOLDEN(u128, "0102030405060708090a0b0c0d0e0f10", (ractor_u128)0x0102030405060708 << 64 | 0x090a0b0c0d0e0f10);
    GOLDEN(i8, "80", INT8_MIN);
    GOLDEN(i16, "fffe", -2);
    GOLDEN(i32, "80000000", INT32_MIN);
    GOLDEN(i64, "8000000000000000", INT64_MIN);
    GOLDEN(i128, "ffffffffffffffffffffffffffffffff", -1);
    GOLDEN(f32, "3fc00000", 1.5f);
    GOLDEN(f64, "bff8000000000000", -1.5);
    GOLDEN(f64, "7ff8000000000000", (double)NAN);
    GOLDEN(f64, "8000000000000000", -0.0);
    GOLDEN(bool, "01", true);
    GOLDEN(char, "0001f980", 0x1f980);
    CHECK(refuses(&ractor_type_u64, "00"));
    CHECK(refuses(&ractor_type_u64, "000000000000000000"));
    CHECK(refuses(&ractor_type_bool, "02"));
    CHECK(refuses(&ractor_type_bool, ""));
    CHECK(refuses(&ractor_type_char, "0000d800"));
    CHECK(refuses(&ractor_type_char, "00110000"));
    CHECK(refuses(&ractor_type_unit, "00"));
    ractor_char surrogate = 0xdfff;
    ractor_bytes bytes;
    CHECK(!ractor_encode(&ractor_type_char, &surrogate, &bytes));
}

static void texts(void) {
    GOLDEN(string, "", RACTOR_STR(""));
    GOLDEN(string, "c3a4f09fa680", RACTOR_STR("\xc3\xa4\xf0\x9f\xa6\x80"));
    GOLDEN(bytes, "00ff", {(const uint8_t *)"\x00\xff", 2});
    GOLDEN(order, "03616263", {(const uint8_t *)"abc", 3});
    GOLDEN(basket, "7b7d", RACTOR_STR("{}"));
    GOLDEN(thing, "616263", {(const uint8_t *)"abc", 3});
    uint8_t long_one[300] = {0};
    ractor_bytes order = {long_one, 300}, bytes;
    CHECK(ractor_encode(&ractor_type_order, &order, &bytes) && bytes.len == 302 && bytes.ptr[0] == 0xac && bytes.ptr[1] == 0x02);
    static const char *const BAD[] = {"ff", "c3", "c0af", "eda080", "f4908080", "f8888080", "e282", "80"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        CHECK(refuses(&ractor_type_string, BAD[i]));
        CHECK(refuses(&ractor_type_basket, BAD[i]));
    }
    // Longer, shorter, and without end.
    CHECK(refuses(&ractor_type_order, "046162"));
    CHECK(refuses(&ractor_type_order, "01616263"));
    CHECK(refuses(&ractor_type_order, "ffffffffffffffffffff01"));
    CHECK(refuses(&ractor_type_order, ""));
    CHECK(refuses(&ractor_type_order, "80"));
}

static void lists(void) {
    GOLDEN(list_u16, "", {NULL, 0});
    GOLDEN(list_u16, "00010002", {(const uint16_t[]){1, 2}, 2});
    GOLDEN(list_u64, "0000000000000001ffffffffffffffff", {(const uint64_t[]){1, UINT64_MAX}, 2});
    GOLDEN(list_i64, "ffffffffffffffff", {(const int64_t[]){-1}, 1});
    GOLDEN(list_i128, "fffffffffffffffffffffffffffffffe", {(const ractor_i128[]){-2}, 1});
    GOLDEN(list_f32, "3fc00000", {(const float[]){1.5f}, 1});
    GOLDEN(list_f64, "3ff8000000000000", {(const double[]){1.5}, 1});
    GOLDEN(list_i8, "ff01", {(const int8_t[]){-1, 1}, 2});
    GOLDEN(list_bool, "0100", {(const bool[]){true, false}, 2});
    GOLDEN(list_char, "0000006100000062", {(const ractor_char[]){'a', 'b'}, 2});
    CHECK(refuses(&ractor_type_list_u16, "000102"));
    CHECK(refuses(&ractor_type_list_bool, "0102"));
    CHECK(refuses(&ractor_type_list_char, "0000d800"));
    CHECK(ractor_equal(ractor_type_name(&ractor_type_list_char), "list<char>"));
    CHECK(ractor_equal(ractor_type_name(&ractor_type_order), "protobuf<shop.Order>"));
}

static void messages(void) {
    CHECK(ractor_equal(make_nothing().tag, "Nothing") && has_bytes(make_nothing().arguments, ""));
    ractor_sendable two = make_two(7, RACTOR_STR("ab"));
    CHECK(ractor_equal(two.tag, "Two"));
    CHECK(has_bytes(two.arguments, "00000000000000080000000000000007" "00000000000000026162"));
    CHECK(ractor_equal(make_renamed(true).tag, "another tag"));
    ractor_c_list_u16 none = {NULL, 0};
    CHECK(ractor_equal(make_addAll(none).tag, "AddAll"));
    CHECK(ractor_equal(make_HTTP_get2().tag, "HTTPGet2"));
    // What isn't UTF-8 never leaves.
    ractor_sendable bad = make_two(7, RACTOR_STR("\xff"));
    CHECK(strstr(ractor_cstr(bad.fault), "`text`") != NULL);
    CHECK(ractor_cast(ractor_self(), bad).kind == RACTOR_INVALID);
    CHECK(ractor_equal(ractor_format("%s", "a\xff" "b"), "a\xef\xbf\xbd" "b"));
}

int main(void) {
    numbers();
    texts();
    lists();
    messages();
    return summary("messages");
}
