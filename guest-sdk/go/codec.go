package ractor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"sync"
	"unicode/utf8"
)

// codec is what is known of a type of Go: its name in docs/types.md, the bytes of its values in messages, and their JSON in a state.
type codec struct {
	name string
	// The bytes of a value in messages if that is the same for all of them.
	size int
	// Nil if messages can't have this type.
	append func(to []byte, value reflect.Value) ([]byte, error)
	decode func(bytes []byte, value reflect.Value) error
	write  func(to *stateWriter, value reflect.Value) error
	read   func(from *stateReader, value reflect.Value) error
}

var (
	codecs     sync.Map
	typeOfU128 = reflect.TypeFor[U128]()
	typeOfI128 = reflect.TypeFor[I128]()
	typeOfChar = reflect.TypeFor[Char]()
	// See Bytes.
	typeOfBytes = reflect.TypeFor[Bytes]()
)

// codecOf gives that of a type that messages can have.
func codecOf(of reflect.Type) (*codec, error) {
	made, err := anyCodecOf(of)
	if err == nil && made.append == nil {
		err = fmt.Errorf("%v is no type of messages", of)
	}
	return made, err
}

// anyCodecOf also gives one of a type that only states can have.
func anyCodecOf(of reflect.Type) (*codec, error) {
	if found, ok := codecs.Load(of); ok {
		return found.(*codec), nil
	}
	made, err := makeCodec(of)
	if err != nil {
		return nil, err
	}
	codecs.Store(of, made)
	return made, nil
}

func makeCodec(of reflect.Type) (*codec, error) {
	// A pointer has the methods of what it points to, and is an option of it.
	switch {
	case of.Kind() == reflect.Pointer:
		return optionCodec(of)
	case of.Implements(reflect.TypeFor[Named]()):
		return namedCodec(of)
	case of.Implements(reflect.TypeFor[replyTo]()):
		// What is kept is the number.
		return structOfNumber(), nil
	case of == typeOfU128, of == typeOfI128:
		return wideCodec(of), nil
	case of == typeOfChar:
		return charCodec(), nil
	case of == typeOfBytes:
		return keyCodec(), nil
	}
	switch of.Kind() {
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return unsignedCodec(of), nil
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return signedCodec(of), nil
	case reflect.Float32, reflect.Float64:
		return floatCodec(of), nil
	case reflect.Bool:
		return boolCodec(), nil
	case reflect.String:
		return stringCodec(), nil
	case reflect.Slice:
		if of.Elem().Kind() == reflect.Uint8 {
			return bytesCodec("bytes"), nil
		}
		return listCodec(of)
	case reflect.Map:
		return mapCodec(of)
	case reflect.Struct:
		if of.NumField() == 0 {
			return unitCodec(), nil
		}
		return jsonCodec(of, of.Name())
	case reflect.Int, reflect.Uint:
		return nil, fmt.Errorf("%v has no size: write %v32 or %v64", of, of.Kind(), of.Kind())
	}
	return nil, fmt.Errorf("%v is no type of messages or states", of)
}

func length(bytes []byte, size int, name string) error {
	if len(bytes) != size {
		return fmt.Errorf("%d bytes are no %s", len(bytes), name)
	}
	return nil
}

// appendBits are the last bytes of a number.
func appendBits(to []byte, n uint64, size int) []byte {
	for shift := 8 * (size - 1); shift >= 0; shift -= 8 {
		to = append(to, byte(n>>shift))
	}
	return to
}

func bitsOf(bytes []byte) (n uint64) {
	for _, b := range bytes {
		n = n<<8 | uint64(b)
	}
	return n
}

func unsignedCodec(of reflect.Type) *codec {
	size := int(of.Size())
	name := fmt.Sprintf("u%d", 8*size)
	made := &codec{name: name, size: size,
		append: func(to []byte, value reflect.Value) ([]byte, error) {
			return appendBits(to, value.Uint(), size), nil
		},
		decode: func(bytes []byte, value reflect.Value) error {
			value.SetUint(bitsOf(bytes))
			return length(bytes, size, name)
		},
	}
	made.write, made.read = unsignedState(size)
	return made
}

func signedCodec(of reflect.Type) *codec {
	size := int(of.Size())
	name := fmt.Sprintf("i%d", 8*size)
	made := &codec{name: name, size: size,
		append: func(to []byte, value reflect.Value) ([]byte, error) {
			return appendBits(to, uint64(value.Int()), size), nil
		},
		decode: func(bytes []byte, value reflect.Value) error {
			unused := 64 - 8*size
			value.SetInt(int64(bitsOf(bytes)<<unused) >> unused)
			return length(bytes, size, name)
		},
	}
	made.write, made.read = signedState(size)
	return made
}

func floatCodec(of reflect.Type) *codec {
	size := int(of.Size())
	made := &codec{name: fmt.Sprintf("f%d", 8*size), size: size}
	made.append = func(to []byte, value reflect.Value) ([]byte, error) {
		if size == 4 {
			return binary.BigEndian.AppendUint32(to, math.Float32bits(float32(value.Float()))), nil
		}
		return binary.BigEndian.AppendUint64(to, math.Float64bits(value.Float())), nil
	}
	made.decode = func(bytes []byte, value reflect.Value) error {
		if err := length(bytes, size, made.name); err != nil {
			return err
		}
		if size == 4 {
			value.SetFloat(float64(math.Float32frombits(binary.BigEndian.Uint32(bytes))))
		} else {
			value.SetFloat(math.Float64frombits(binary.BigEndian.Uint64(bytes)))
		}
		return nil
	}
	made.write, made.read = floatState(size)
	return made
}

func boolCodec() *codec {
	return &codec{name: "bool", size: 1,
		append: func(to []byte, value reflect.Value) ([]byte, error) {
			if value.Bool() {
				return append(to, 1), nil
			}
			return append(to, 0), nil
		},
		decode: func(bytes []byte, value reflect.Value) error {
			if len(bytes) != 1 || bytes[0] > 1 {
				return errors.New("a bool is one byte, 0 or 1")
			}
			value.SetBool(bytes[0] == 1)
			return nil
		},
		write: writeBool, read: readBool,
	}
}

var errChar = errors.New("this is no Unicode character")

func charCodec() *codec {
	return &codec{name: "char", size: 4,
		append: func(to []byte, value reflect.Value) ([]byte, error) {
			if !Char(value.Int()).isValid() {
				return nil, errChar
			}
			return binary.BigEndian.AppendUint32(to, uint32(value.Int())), nil
		},
		decode: func(bytes []byte, value reflect.Value) error {
			if len(bytes) != 4 || !Char(binary.BigEndian.Uint32(bytes)).isValid() {
				return errChar
			}
			value.SetInt(int64(binary.BigEndian.Uint32(bytes)))
			return nil
		},
		write: writeChar, read: readChar,
	}
}

func wideCodec(of reflect.Type) *codec {
	made := &codec{name: "u128", size: 16}
	if of == typeOfI128 {
		made.name = "i128"
	}
	made.append = func(to []byte, value reflect.Value) ([]byte, error) {
		n := wideOf(value)
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(to, n.High), n.Low), nil
	}
	made.decode = func(bytes []byte, value reflect.Value) error {
		if err := length(bytes, 16, made.name); err != nil {
			return err
		}
		setWide(value, U128{binary.BigEndian.Uint64(bytes), binary.BigEndian.Uint64(bytes[8:])})
		return nil
	}
	made.write, made.read = wideState(of)
	return made
}

func wideOf(value reflect.Value) U128 {
	if n, ok := value.Interface().(I128); ok {
		return n.unsigned()
	}
	return value.Interface().(U128)
}

func setWide(value reflect.Value, n U128) {
	if value.Type() == typeOfI128 {
		value.Set(reflect.ValueOf(n.signed()))
	} else {
		value.Set(reflect.ValueOf(n))
	}
}

var errText = errors.New("this text is no UTF-8")

func stringCodec() *codec {
	return &codec{name: "string",
		append: func(to []byte, value reflect.Value) ([]byte, error) {
			if !utf8.ValidString(value.String()) {
				return nil, errText
			}
			return append(to, value.String()...), nil
		},
		decode: func(bytes []byte, value reflect.Value) error {
			if !utf8.Valid(bytes) {
				return errText
			}
			// A copy: an actor that keeps a few letters of a message shouldn't keep all of it.
			value.SetString(string(bytes))
			return nil
		},
		write: writeString, read: readString,
	}
}

func bytesCodec(name string) *codec {
	return &codec{name: name,
		append: func(to []byte, value reflect.Value) ([]byte, error) { return append(to, value.Bytes()...), nil },
		decode: func(bytes []byte, value reflect.Value) error {
			value.SetBytes(append([]byte{}, bytes...))
			return nil
		},
		write: writeBytes, read: readBytes,
	}
}

func keyCodec() *codec {
	return &codec{name: "bytes",
		append: func(to []byte, value reflect.Value) ([]byte, error) { return append(to, value.String()...), nil },
		decode: func(bytes []byte, value reflect.Value) error {
			value.SetString(string(bytes))
			return nil
		},
		write: func(to *stateWriter, value reflect.Value) error {
			to.base64([]byte(value.String()))
			return nil
		},
		read: func(from *stateReader, value reflect.Value) error {
			bytes, err := from.base64()
			value.SetString(string(bytes))
			return err
		},
	}
}

func unitCodec() *codec {
	return &codec{name: "unit",
		append: func(to []byte, _ reflect.Value) ([]byte, error) { return to, nil },
		decode: func(bytes []byte, _ reflect.Value) error { return length(bytes, 0, "unit") },
		write:  writeNull, read: readNull,
	}
}

// structOfNumber is the codec of ReplyTo, in states.
func structOfNumber() *codec {
	number := unsignedCodec(reflect.TypeFor[uint64]())
	return &codec{name: "u64",
		write: func(to *stateWriter, value reflect.Value) error { return number.write(to, value.Field(0)) },
		read:  func(from *stateReader, value reflect.Value) error { return number.read(from, value.Field(0)) },
	}
}
