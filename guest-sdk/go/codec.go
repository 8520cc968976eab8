package ractor

import (
	"encoding"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
	"unicode/utf8"
	"unsafe"
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
	switch {
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
	case reflect.Pointer:
		return optionCodec(of)
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
