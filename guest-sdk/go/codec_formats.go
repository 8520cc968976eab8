package ractor

import (
	"encoding"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
	"unsafe"
)

func listCodec(of reflect.Type) (*codec, error) {
	element, err := anyCodecOf(of.Elem())
	if err != nil {
		return nil, err
	}
	made := &codec{name: "list<" + element.name + ">", write: writeList(element), read: readList(of, element)}
	if element.size == 0 {
		return made, nil
	}
	made.append = func(to []byte, value reflect.Value) ([]byte, error) {
		if done, ok := appendNumbers(to, value); ok {
			return done, nil
		}
		for i := range value.Len() {
			var err error
			if to, err = element.append(to, value.Index(i)); err != nil {
				return nil, err
			}
		}
		return to, nil
	}
	made.decode = func(bytes []byte, value reflect.Value) error {
		if len(bytes)%element.size != 0 {
			return fmt.Errorf("%d bytes are no %s", len(bytes), made.name)
		}
		count := len(bytes) / element.size
		value.Set(reflect.MakeSlice(of, count, count))
		if decodeNumbers(bytes, value) {
			return nil
		}
		for i := range count {
			if err := element.decode(bytes[i*element.size:][:element.size], value.Index(i)); err != nil {
				return err
			}
		}
		return nil
	}
	return made, nil
}

// numbersOf are the elements of a slice of numbers, as numbers without a sign of the same size.
func numbersOf[T uint16 | uint32 | uint64](value reflect.Value) []T {
	return unsafe.Slice((*T)(value.UnsafePointer()), value.Len())
}

func isNumber(kind reflect.Kind) bool { return kind >= reflect.Int && kind <= reflect.Float64 }

// appendNumbers does at once what takes long one by one. False if these aren't numbers.
func appendNumbers(to []byte, value reflect.Value) ([]byte, bool) {
	element := value.Type().Elem()
	if !isNumber(element.Kind()) || element == typeOfChar {
		return to, false
	}
	switch element.Size() {
	case 2:
		for _, n := range numbersOf[uint16](value) {
			to = binary.BigEndian.AppendUint16(to, n)
		}
	case 4:
		for _, n := range numbersOf[uint32](value) {
			to = binary.BigEndian.AppendUint32(to, n)
		}
	case 8:
		for _, n := range numbersOf[uint64](value) {
			to = binary.BigEndian.AppendUint64(to, n)
		}
	default:
		return to, false
	}
	return to, true
}

func decodeNumbers(bytes []byte, value reflect.Value) bool {
	element := value.Type().Elem()
	if !isNumber(element.Kind()) || element == typeOfChar {
		return false
	}
	switch element.Size() {
	case 2:
		for i, numbers := 0, numbersOf[uint16](value); i < len(numbers); i++ {
			numbers[i] = binary.BigEndian.Uint16(bytes[2*i:])
		}
	case 4:
		for i, numbers := 0, numbersOf[uint32](value); i < len(numbers); i++ {
			numbers[i] = binary.BigEndian.Uint32(bytes[4*i:])
		}
	case 8:
		for i, numbers := 0, numbersOf[uint64](value); i < len(numbers); i++ {
			numbers[i] = binary.BigEndian.Uint64(bytes[8*i:])
		}
	default:
		return false
	}
	return true
}

// jsonCodec is that of a value that encoding/json knows.
func jsonCodec(of reflect.Type, name string) (*codec, error) {
	if name == "" {
		return nil, fmt.Errorf("%v needs a name", of)
	}
	return &codec{name: "json<" + name + ">",
		append: func(to []byte, value reflect.Value) ([]byte, error) {
			text, err := json.Marshal(value.Interface())
			return append(to, text...), err
		},
		decode: func(bytes []byte, value reflect.Value) error {
			if !utf8.Valid(bytes) {
				return errText
			}
			return json.Unmarshal(bytes, value.Addr().Interface())
		},
		write: writeJSON, read: readJSON,
	}, nil
}

// namedCodec is that of a type that says what it is.
func namedCodec(of reflect.Type) (*codec, error) {
	name := reflect.Zero(of).Interface().(Named).RactorType()
	format, inner, ok := strings.Cut(name, "<")
	if !ok || !strings.HasSuffix(inner, ">") {
		return nil, fmt.Errorf("%v is named %q, which is no type: write protobuf<…>, json<…>, pot<…> or opaque<…>", of, name)
	}
	if format == "json" && !isBytes(of) && !of.Implements(reflect.TypeFor[encoding.BinaryMarshaler]()) {
		return jsonCodec(of, strings.TrimSuffix(inner, ">"))
	}
	plain, err := plainCodec(of, name)
	if err != nil {
		return nil, err
	}
	switch format {
	case "json":
		plain.write, plain.read = writeRawJSON(plain), readRawJSON(plain)
	case "protobuf":
		bare := *plain
		plain.append = func(to []byte, value reflect.Value) ([]byte, error) {
			message, err := bare.append(nil, value)
			return append(binary.AppendUvarint(to, uint64(len(message))), message...), err
		}
		plain.decode = func(bytes []byte, value reflect.Value) error {
			size, used := binary.Uvarint(bytes)
			if used <= 0 || size != uint64(len(bytes)-used) {
				return fmt.Errorf("this is no %s with its length in front", name)
			}
			return bare.decode(bytes[used:], value)
		}
	}
	return plain, nil
}

func isBytes(of reflect.Type) bool {
	return of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.Uint8
}

// plainCodec is that of bytes, or of what becomes bytes by methods of its own.
func plainCodec(of reflect.Type, name string) (*codec, error) {
	_, decodes := reflect.New(of).Interface().(encoding.BinaryUnmarshaler)
	if !of.Implements(reflect.TypeFor[encoding.BinaryMarshaler]()) || !decodes {
		if isBytes(of) {
			return bytesCodec(name), nil
		}
		return nil, fmt.Errorf("%v is %s, and so needs to be a slice of bytes, or to have the methods MarshalBinary and UnmarshalBinary", of, name)
	}
	made := &codec{name: name,
		append: func(to []byte, value reflect.Value) ([]byte, error) {
			bytes, err := value.Interface().(encoding.BinaryMarshaler).MarshalBinary()
			return append(to, bytes...), err
		},
		decode: func(bytes []byte, value reflect.Value) error {
			return value.Addr().Interface().(encoding.BinaryUnmarshaler).UnmarshalBinary(append([]byte{}, bytes...))
		},
	}
	made.write = func(to *stateWriter, value reflect.Value) error {
		bytes, err := made.append(nil, value)
		to.base64(bytes)
		return err
	}
	made.read = func(from *stateReader, value reflect.Value) error {
		bytes, err := from.base64()
		if err != nil {
			return err
		}
		return made.decode(bytes, value)
	}
	return made, nil
}
