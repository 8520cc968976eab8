package ractor

import (
	"bytes"
	"encoding/hex"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
)

type basket struct {
	Owner string   `json:"owner"`
	Items []string `json:"items"`
}

func TestValuesAreTheBytesThatEveryLanguageWrites(t *testing.T) {
	for _, one := range []struct {
		value any
		name  string
		bytes string
	}{
		{uint8(255), "u8", "ff"},
		{uint16(258), "u16", "0102"},
		{uint32(1), "u32", "00000001"},
		{uint64(math.MaxUint64), "u64", "ffffffffffffffff"},
		{U128{1, 2}, "u128", "00000000000000010000000000000002"},
		{int8(-1), "i8", "ff"},
		{int16(-2), "i16", "fffe"},
		{int32(math.MinInt32), "i32", "80000000"},
		{int64(math.MinInt64), "i64", "8000000000000000"},
		{I128{-1, math.MaxUint64}, "i128", "ffffffffffffffffffffffffffffffff"},
		{float32(0.5), "f32", "3f000000"},
		{-1.5, "f64", "bff8000000000000"},
		{true, "bool", "01"},
		{Char('🦀'), "char", "0001f980"},
		{"ä", "string", "c3a4"},
		{[]byte{1, 2}, "bytes", "0102"},
		{Unit{}, "unit", ""},
		{[]uint16{1, 2}, "list<u16>", "00010002"},
		{[]uint64{1}, "list<u64>", "0000000000000001"},
		{[]int8{-1, 1}, "list<i8>", "ff01"},
		{[]int64{-1}, "list<i64>", "ffffffffffffffff"},
		{[]I128{{0, 1}}, "list<i128>", "00000000000000000000000000000001"},
		{[]float32{0.5}, "list<f32>", "3f000000"},
		{[]float64{}, "list<f64>", ""},
		{[]bool{true, false}, "list<bool>", "0100"},
		{[]Char{'a'}, "list<char>", "00000061"},
		{basket{"me", []string{"soup"}}, "json<basket>", hex.EncodeToString([]byte(`{"owner":"me","items":["soup"]}`))},
		{jsonOrder(`{}`), "json<Order>", "7b7d"},
		{protoOrder{8, 1}, "protobuf<shop.Order>", "020801"},
		{opaqueThing{9}, "opaque<Thing>", "09"},
	} {
		codec, err := codecOf(reflect.TypeOf(one.value))
		if err != nil {
			t.Fatal(err)
		}
		encoded, err := Encode(one.value)
		if err != nil || hex.EncodeToString(encoded) != one.bytes || codec.name != one.name {
			t.Errorf("%v is %x of the type %s: %v", one.value, encoded, codec.name, err)
		}
		back := reflect.New(reflect.TypeOf(one.value)).Elem()
		if err := codec.decode(encoded, back); err != nil || !reflect.DeepEqual(back.Interface(), one.value) {
			t.Errorf("%v came back as %v: %v", one.value, back.Interface(), err)
		}
	}
}

func TestBytesThatAreNoValueAreRefused(t *testing.T) {
	for _, one := range []struct {
		of    any
		bytes string
	}{
		{uint8(0), ""}, {uint64(0), "00"}, {int32(0), "0000000000"}, {U128{}, "00"}, {float64(0), "00"}, {false, "02"}, {Char(0), "0000d800"},
		{Char(0), "61"}, {"", "ff"}, {Unit{}, "00"}, {[]uint16{}, "000102"}, {[]Char{}, "00110000"}, {[]bool{}, "0002"}, {basket{}, "7b"},
		{basket{}, "ff"}, {protoOrder{}, "0208"}, {protoOrder{}, "010801"}, {protoOrder{}, ""},
	} {
		codec, err := codecOf(reflect.TypeOf(one.of))
		if err != nil {
			t.Fatal(err)
		}
		encoded, _ := hex.DecodeString(one.bytes)
		into := reflect.New(reflect.TypeOf(one.of)).Elem()
		if err := codec.decode(encoded, into); err == nil {
			t.Errorf("%s is understood as the %s %v", one.bytes, codec.name, into.Interface())
		}
	}
}

func TestWhatNoMessageCanHaveIsRefusedWithAWordOfWhatToDo(t *testing.T) {
	for _, one := range []struct {
		value any
		says  string
	}{
		{1, "int64"}, {uint(1), "uint64"}, {"\xff", "UTF-8"}, {Char(0xd800), "character"}, {make(chan int), "no type"},
		{map[string]uint64{}, "no type of messages"}, {new(uint64), "no type of messages"}, {[]string{"a"}, "no type of messages"},
		{struct{ A uint8 }{}, "needs a name"},
	} {
		if _, err := Encode(one.value); err == nil || !strings.Contains(err.Error(), one.says) {
			t.Errorf("%T: %v", one.value, err)
		}
	}
}

func TestWideIntegersAreNumbers(t *testing.T) {
	most := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1))
	n, err := NewU128(most)
	if err != nil || n != (U128{math.MaxUint64, math.MaxUint64}) || n.String() != most.String() {
		t.Errorf("%v is %v: %v", most, n, err)
	}
	if sum := n.Add(U128{0, 2}); sum != (U128{0, 1}) {
		t.Errorf("it wraps to %v", sum)
	}
	least := new(big.Int).Lsh(big.NewInt(-1), 127)
	i, err := NewI128(least)
	if err != nil || i != (I128{math.MinInt64, 0}) || i.String() != least.String() {
		t.Errorf("%v is %v: %v", least, i, err)
	}
	if sum := (I128{-1, math.MaxUint64}).Add(I128{0, 3}); sum != (I128{0, 2}) {
		t.Errorf("-1 and 3 are %v", sum)
	}
	for _, n := range []*big.Int{new(big.Int).Add(most, big.NewInt(1)), big.NewInt(-1)} {
		if _, err := NewU128(n); err == nil {
			t.Errorf("%v is a u128", n)
		}
	}
	for _, n := range []*big.Int{new(big.Int).Sub(least, big.NewInt(1)), new(big.Int).Neg(least)} {
		if _, err := NewI128(n); err == nil {
			t.Errorf("%v is an i128", n)
		}
	}
}

func TestAListOfAMillionIsCodedAtOnce(t *testing.T) {
	many := make([]float64, 1_000_000)
	for i := range many {
		many[i] = float64(i) / 3
	}
	encoded, err := Encode(many)
	if err != nil || len(encoded) != 8_000_000 {
		t.Fatalf("%d bytes: %v", len(encoded), err)
	}
	back, err := Decode[[]float64](encoded)
	if err != nil || !reflect.DeepEqual(back, many) {
		t.Errorf("it came back changed: %v", err)
	}
	// Whoever keeps what it was given keeps no memory of the node.
	kept, err := Decode[[]byte](encoded[:2])
	if err != nil || bytes.Equal(kept, []byte{1, 1}) {
		t.Fatal(err)
	}
	encoded[0] = 1
	if kept[0] == 1 {
		t.Error("bytes are shared with the message")
	}
}
