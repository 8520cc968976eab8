package ractor

import (
	"fmt"
	"math/big"
	"math/bits"
	"unicode/utf8"

	"ractor-host/ractor/internal/node"
)

// Pid is the address of an actor on this node. It means nothing on another one: see Address.
type Pid = node.Pid

// Unit is what a call replies that only says that it is done.
type Unit = struct{}

// Char is a Unicode code point that is no half of a surrogate pair. As `rune` is another word for int32, and so an `i32`, a char has a
// type of its own.
type Char rune

func (c Char) String() string { return string(rune(c)) }

func (c Char) isValid() bool { return utf8.ValidRune(rune(c)) }

// Bytes are bytes that can be keys of a map. Everywhere else []byte is what you want.
type Bytes string

// U128 is an integer from 0 to 2^128-1.
type U128 struct{ High, Low uint64 }

// I128 is an integer from -2^127 to 2^127-1, in two's complement.
type I128 struct {
	High int64
	Low  uint64
}

// Add gives the sum, without what is beyond 128 bits.
func (n U128) Add(other U128) U128 {
	low, carry := bits.Add64(n.Low, other.Low, 0)
	high, _ := bits.Add64(n.High, other.High, carry)
	return U128{high, low}
}

// Add gives the sum, without what is beyond 128 bits.
func (n I128) Add(other I128) I128 { return I128(n.unsigned().Add(other.unsigned()).signed()) }

func (n I128) unsigned() U128 { return U128{uint64(n.High), n.Low} }
func (n U128) signed() I128   { return I128{int64(n.High), n.Low} }

// Big gives the same number for further calculations.
func (n U128) Big() *big.Int {
	high := new(big.Int).Lsh(new(big.Int).SetUint64(n.High), 64)
	return high.Or(high, new(big.Int).SetUint64(n.Low))
}

// Big gives the same number for further calculations.
func (n I128) Big() *big.Int {
	high := new(big.Int).Lsh(big.NewInt(n.High), 64)
	return high.Add(high, new(big.Int).SetUint64(n.Low))
}

func (n U128) String() string { return n.Big().String() }
func (n I128) String() string { return n.Big().String() }

// NewU128 gives a number as U128, or an error if it is negative or too large.
func NewU128(n *big.Int) (U128, error) {
	if n.Sign() < 0 || n.BitLen() > 128 {
		return U128{}, fmt.Errorf("%v is no u128", n)
	}
	low := new(big.Int).And(n, new(big.Int).SetUint64(^uint64(0)))
	return U128{new(big.Int).Rsh(n, 64).Uint64(), low.Uint64()}, nil
}

// NewI128 gives a number as I128, or an error if it is too large or too small.
func NewI128(n *big.Int) (I128, error) {
	least := new(big.Int).Lsh(big.NewInt(-1), 127)
	if n.Cmp(least) < 0 || n.Cmp(new(big.Int).Not(least)) > 0 {
		return I128{}, fmt.Errorf("%v is no i128", n)
	}
	// In two's complement.
	wrapped := new(big.Int).And(n, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1)))
	unsigned, err := NewU128(wrapped)
	return unsigned.signed(), err
}

// Named is a type with a name in the grammar of types: `protobuf<shop.Order>`, `json<Basket>`, `pot<Order>` or `opaque<shop.Thing>`.
//
//	type Order []byte
//
//	func (Order) RactorType() string { return "protobuf<shop.Order>" }
//
// Such a type is a slice of bytes, which are the message, or has the methods of encoding.BinaryMarshaler and, by pointer, of
// encoding.BinaryUnmarshaler: put the calls of the library of your choice there. A struct needs no name to be JSON: it is `json<…>` of
// its own name, with the fields and the tags of encoding/json.
type Named interface{ RactorType() string }
