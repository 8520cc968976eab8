//go:build wasip1

package abi

import (
	"unsafe"

	"ractor-host/ractor/internal/node"
)

// What the node puts into the memory of this actor until the present entry ends, so that the collector leaves it there. Whatever of it
// is used beyond that is held by its user, because texts and bytes are not copied.
var arrived []unsafe.Pointer

// What the last entry returned. The node reads it when the entry has ended.
var returned []any

// Memory for the adapter of WASI 0.1, which takes some before Go's runtime has begun. The program that makes the component finds it by
// its first bytes.
var reserved = [3 << 16]byte{
	'r', 'a', 'c', 't', 'o', 'r', ':', ' ', 'm', 'e', 'm', 'o', 'r', 'y', ' ', 'o', 'f', ' ', 't', 'h', 'e', ' ', 'a', 'd', 'a', 'p', 't', 'e', 'r', ' ', 0xa5, 'Z',
}

// cabi_realloc is where the node puts texts and lists that it hands over. The node never moves or frees anything.
//
//go:wasmexport cabi_realloc
func cabiRealloc(old unsafe.Pointer, oldBytes, alignment, bytes uint32) unsafe.Pointer {
	if bytes == 0 {
		return at(alignment)
	}
	var made unsafe.Pointer
	if alignment == 8 {
		made = unsafe.Pointer(unsafe.SliceData(make([]uint64, (bytes+7)/8)))
	} else if alignment == 4 {
		made = unsafe.Pointer(unsafe.SliceData(make([]uint32, (bytes+3)/4)))
	} else {
		made = unsafe.Pointer(unsafe.SliceData(make([]byte, bytes)))
	}
	if old != nil && oldBytes > 0 {
		copy(unsafe.Slice((*byte)(made), bytes), unsafe.Slice((*byte)(old), oldBytes))
	}
	arrived = append(arrived, made)
	return made
}

// at is a place in memory by its number.
func at(place uint32) unsafe.Pointer { return unsafe.Add(unsafe.Pointer(nil), place) }

// slice is where a text or a list is, and how long it is.
type slice struct{ ptr, len uint32 }

func slicesOf[T any](s slice) []T {
	if s.len == 0 {
		return nil
	}
	return unsafe.Slice((*T)(at(s.ptr)), s.len)
}

func (s slice) bytes() []byte {
	return slicesOf[byte](s)
}

func (s slice) text() string {
	if s.len == 0 {
		return ""
	}
	return unsafe.String((*byte)(at(s.ptr)), s.len)
}

func (s slice) pids() []node.Pid { return slicesOf[node.Pid](s) }

func (s slice) texts() []string {
	texts := make([]string, 0, s.len)
	for _, text := range slicesOf[slice](s) {
		texts = append(texts, text.text())
	}
	return texts
}

type optionalText struct {
	some  uint32
	value slice
}

type optionalTrace struct {
	some          uint32
	parent, state slice
}

func (o optionalText) text() (string, bool) { return o.value.text(), o.some&0xff != 0 }

type optionalPid struct {
	some  uint64
	value node.Pid
}

type nothingOrCode struct{ failed, code uint8 }

func (r nothingOrCode) failure() *node.Failure {
	if r.failed == 0 {
		return nil
	}
	return &node.Failure{Code: r.code}
}

type bytesOrError struct{ failed, first, second, third uint32 }

// An error is its code in the first byte of `number`, and a reason behind it.
type numberOrError struct {
	failed uint64
	number uint64
	reason uint32
	_      uint32
}

func (r numberOrError) failure() *node.Failure {
	if r.failed == 0 {
		return nil
	}
	failure := &node.Failure{Code: uint8(r.number)}
	if failure.Code == failedCall {
		failure.Reason = slice{uint32(r.number >> 32), r.reason}.text()
	}
	return failure
}

// The case of `call-error` that has a reason.
const failedCall = 8

type numberOrCode struct{ failed, number uint64 }

func (r numberOrCode) failure() *node.Failure {
	if r.failed == 0 {
		return nil
	}
	return &node.Failure{Code: uint8(r.number)}
}

// An error has its code in the first byte of `pid`, and a reason behind it.
type pidOrError struct {
	failed uint64
	pid    node.Pid
}

// The case of `spawn-error` that has a reason.
const failedStart = 4

func (r pidOrError) failure() *node.Failure {
	failure := &node.Failure{Code: uint8(r.pid.Node)}
	if failure.Code == failedStart {
		failure.Reason = slice{uint32(r.pid.Node >> 32), uint32(r.pid.ID)}.text()
	}
	return failure
}

func asText(bytes []byte) string { return unsafe.String(unsafe.SliceData(bytes), len(bytes)) }

func optional(text string) (int32, string) {
	if text == "" {
		return 0, ""
	}
	return 1, text
}

func optionalNumber(number *uint64) (int32, uint64) {
	if number == nil {
		return 0, 0
	}
	return 1, *number
}

// words are records of texts, lists and numbers of 32 bits, one behind the other, as the node reads them. They are there until the
// next entry.
type words []uint32

func (w *words) number(n uint32) { *w = append(*w, n) }

func (w *words) text(text string) { w.pointer(unsafe.Pointer(unsafe.StringData(text)), len(text)) }

func (w *words) bytes(bytes []byte) {
	w.pointer(unsafe.Pointer(unsafe.SliceData(bytes)), len(bytes))
}

// list is a list of records that are in other words.
func (w *words) list(items words, count int) { w.pointer(items.address(), count) }

func (w *words) pointer(to unsafe.Pointer, count int) {
	if count == 0 {
		// An empty list is somewhere, too.
		to = unsafe.Pointer(&empty)
	}
	returned = append(returned, to)
	*w = append(*w, uint32(uintptr(to)), uint32(count))
}

var empty uint64

func (w words) address() unsafe.Pointer {
	if len(w) == 0 {
		return unsafe.Pointer(&empty)
	}
	to := unsafe.Pointer(unsafe.SliceData(w))
	returned = append(returned, to)
	return to
}
