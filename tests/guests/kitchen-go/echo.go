package main

import (
	"encoding/binary"
	"errors"

	"ractor-host/ractor"
)

func (k *Kitchen) EchoU8(value uint8) uint8                   { return value }
func (k *Kitchen) EchoU16(value uint16) uint16                { return value }
func (k *Kitchen) EchoU32(value uint32) uint32                { return value }
func (k *Kitchen) EchoU64(value uint64) uint64                { return value }
func (k *Kitchen) EchoU128(value ractor.U128) ractor.U128     { return value }
func (k *Kitchen) EchoI8(value int8) int8                     { return value }
func (k *Kitchen) EchoI16(value int16) int16                  { return value }
func (k *Kitchen) EchoI32(value int32) int32                  { return value }
func (k *Kitchen) EchoI64(value int64) int64                  { return value }
func (k *Kitchen) EchoI128(value ractor.I128) ractor.I128     { return value }
func (k *Kitchen) EchoF32(value float32) float32              { return value }
func (k *Kitchen) EchoF64(value float64) float64              { return value }
func (k *Kitchen) EchoBool(value bool) bool                   { return value }
func (k *Kitchen) EchoChar(value ractor.Char) ractor.Char     { return value }
func (k *Kitchen) EchoString(value string) string             { return value }
func (k *Kitchen) EchoBytes(value []byte) []byte              { return value }
func (k *Kitchen) EchoListU16(value []uint16) []uint16        { return value }
func (k *Kitchen) EchoListU64(value []uint64) []uint64        { return value }
func (k *Kitchen) EchoListI64(value []int64) []int64          { return value }
func (k *Kitchen) EchoListI128(v []ractor.I128) []ractor.I128 { return v }
func (k *Kitchen) EchoListF32(value []float32) []float32      { return value }
func (k *Kitchen) EchoListF64(value []float64) []float64      { return value }
func (k *Kitchen) EchoListBool(value []bool) []bool           { return value }
func (k *Kitchen) EchoListChar(v []ractor.Char) []ractor.Char { return v }

// Order is a JSON value.
type Order struct {
	ID       string   `json:"id"`
	Quantity uint64   `json:"quantity"`
	Items    []string `json:"items"`
}

func (k *Kitchen) EchoJson(value Order) Order {
	value.Quantity++
	return value
}

// ProtoOrder is the message kitchen.Order, of which only `quantity`, field 2, is of interest here. With a library of protobuf this would be
// a struct with the methods MarshalBinary and UnmarshalBinary.
type ProtoOrder struct {
	quantity uint64
	// All other fields, as they came.
	rest []byte
}

// RactorType is its name in contracts.
func (ProtoOrder) RactorType() string { return "protobuf<kitchen.Order>" }

// Its keys on the wire.
const quantityKey = 2 << 3

// MarshalBinary puts the quantity behind the other fields.
func (o ProtoOrder) MarshalBinary() ([]byte, error) {
	return binary.AppendUvarint(append(append([]byte{}, o.rest...), quantityKey), o.quantity), nil
}

var errOrder = errors.New("this is no kitchen.Order")

// UnmarshalBinary finds the quantity. The other fields have their length in front.
func (o *ProtoOrder) UnmarshalBinary(bytes []byte) error {
	for len(bytes) > 0 {
		key, used := binary.Uvarint(bytes)
		if used <= 0 {
			return errOrder
		}
		number, more := binary.Uvarint(bytes[used:])
		if more <= 0 {
			return errOrder
		}
		used += more
		if key == quantityKey {
			o.quantity, bytes = number, bytes[used:]
			continue
		}
		if key&7 != 2 || number > uint64(len(bytes)-used) {
			return errOrder
		}
		used += int(number)
		o.rest, bytes = append(o.rest, bytes[:used]...), bytes[used:]
	}
	return nil
}

func (k *Kitchen) EchoProto(value ProtoOrder) ProtoOrder {
	value.quantity++
	return value
}
