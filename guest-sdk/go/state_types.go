package ractor

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"
)

type (
	writes = func(to *stateWriter, value reflect.Value) error
	reads  = func(from *stateReader, value reflect.Value) error
)

var errRange = errors.New("it is beyond the range")

// whole reads a JSON number that is an integer, however it is written.
func (r *stateReader) whole() (int64, error) {
	digits, err := r.number()
	if err != nil {
		return 0, err
	}
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return n, nil
	}
	double, err := strconv.ParseFloat(digits, 64)
	if err != nil || math.Abs(double) > 1<<53 {
		return 0, errRange
	}
	exact, ok := new(big.Rat).SetString(digits)
	if !ok || !exact.IsInt() {
		return 0, errors.New("it has a fraction")
	}
	return exact.Num().Int64(), nil
}

// decimal reads the digits of a large integer.
func (r *stateReader) decimal() (*big.Int, error) {
	text, err := r.text()
	if err != nil {
		return nil, err
	}
	// The longest that any type has is shorter.
	if n, ok := new(big.Int).SetString(text, 10); ok && len(text) <= 64 && n.String() == text {
		return n, nil
	}
	return nil, errors.New("these are no plain digits")
}

func unsignedState(size int) (writes, reads) {
	if size == 8 {
		return func(to *stateWriter, value reflect.Value) error {
				to.put(jsontext.String(strconv.FormatUint(value.Uint(), 10)))
				return nil
			}, func(from *stateReader, value reflect.Value) error {
				n, err := from.decimal()
				if err == nil && !n.IsUint64() {
					err = errRange
				}
				if err == nil {
					value.SetUint(n.Uint64())
				}
				return err
			}
	}
	return func(to *stateWriter, value reflect.Value) error {
			to.put(jsontext.Uint(value.Uint()))
			return nil
		}, func(from *stateReader, value reflect.Value) error {
			n, err := from.whole()
			if err == nil && (n < 0 || value.OverflowUint(uint64(n))) {
				err = errRange
			}
			if err == nil {
				value.SetUint(uint64(n))
			}
			return err
		}
}

func signedState(size int) (writes, reads) {
	if size == 8 {
		return func(to *stateWriter, value reflect.Value) error {
				to.put(jsontext.String(strconv.FormatInt(value.Int(), 10)))
				return nil
			}, func(from *stateReader, value reflect.Value) error {
				n, err := from.decimal()
				if err == nil && !n.IsInt64() {
					err = errRange
				}
				if err == nil {
					value.SetInt(n.Int64())
				}
				return err
			}
	}
	return func(to *stateWriter, value reflect.Value) error {
			to.put(jsontext.Int(value.Int()))
			return nil
		}, func(from *stateReader, value reflect.Value) error {
			n, err := from.whole()
			if err == nil && value.OverflowInt(n) {
				err = errRange
			}
			if err == nil {
				value.SetInt(n)
			}
			return err
		}
}

func wideState(of reflect.Type) (writes, reads) {
	return func(to *stateWriter, value reflect.Value) error {
			to.put(jsontext.String(value.Interface().(fmt.Stringer).String()))
			return nil
		}, func(from *stateReader, value reflect.Value) error {
			n, err := from.decimal()
			if err != nil {
				return err
			}
			var made any
			if of == typeOfI128 {
				made, err = NewI128(n)
			} else {
				made, err = NewU128(n)
			}
			if err == nil {
				value.Set(reflect.ValueOf(made))
			}
			return err
		}
}

// What floats are that JSON has no number for.
var specials = map[string]float64{"NaN": math.Float64frombits(0x7ff8000000000000), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1), "-0": math.Copysign(0, -1)}

func floatState(size int) (writes, reads) {
	return func(to *stateWriter, value reflect.Value) error {
			n := value.Float()
			for word, special := range specials {
				if math.IsNaN(n) && math.IsNaN(special) || n == special && math.Signbit(n) == math.Signbit(special) {
					to.put(jsontext.String(word))
					return nil
				}
			}
			to.put(jsontext.Float(n))
			return nil
		}, func(from *stateReader, value reflect.Value) error {
			if from.PeekKind() == '"' {
				word, err := from.text()
				special, ok := specials[word]
				if err == nil && !ok {
					err = errors.New("it is no number")
				}
				value.SetFloat(special)
				return err
			}
			digits, err := from.number()
			if err != nil {
				return err
			}
			n, err := strconv.ParseFloat(digits, 64)
			if err != nil {
				return errRange
			}
			if size == 4 && float64(float32(n)) != n {
				return errors.New("no f32 has this value")
			}
			// The sign of a zero has a word of its own.
			value.SetFloat(n + 0)
			return nil
		}
}

func writeBool(to *stateWriter, value reflect.Value) error {
	to.put(jsontext.Bool(value.Bool()))
	return nil
}

func readBool(from *stateReader, value reflect.Value) error {
	token, err := from.ReadToken()
	if err == nil && token.Kind() != 't' && token.Kind() != 'f' {
		err = errors.New("it is neither true nor false")
	}
	if err == nil {
		value.SetBool(token.Bool())
	}
	return err
}

func writeChar(to *stateWriter, value reflect.Value) error {
	if !Char(value.Int()).isValid() {
		return errChar
	}
	to.put(jsontext.String(string(rune(value.Int()))))
	return nil
}

func readChar(from *stateReader, value reflect.Value) error {
	text, err := from.text()
	if err != nil {
		return err
	}
	char, size := utf8.DecodeRuneInString(text)
	if size == 0 || size != len(text) {
		return errors.New("it is not one character")
	}
	value.SetInt(int64(char))
	return nil
}

func writeString(to *stateWriter, value reflect.Value) error {
	return to.WriteToken(jsontext.String(value.String()))
}

func readString(from *stateReader, value reflect.Value) error {
	text, err := from.text()
	value.SetString(text)
	return err
}

func writeBytes(to *stateWriter, value reflect.Value) error {
	to.base64(value.Bytes())
	return nil
}

func readBytes(from *stateReader, value reflect.Value) error {
	bytes, err := from.base64()
	value.SetBytes(bytes)
	return err
}

func writeNull(to *stateWriter, _ reflect.Value) error {
	to.put(jsontext.Null)
	return nil
}

func readNull(from *stateReader, _ reflect.Value) error {
	token, err := from.ReadToken()
	if err == nil && token.Kind() != 'n' {
		err = errors.New("it is not null")
	}
	return err
}

func writeList(element *codec) writes {
	return func(to *stateWriter, value reflect.Value) error {
		to.put(jsontext.BeginArray)
		for i := range value.Len() {
			if err := element.write(to, value.Index(i)); err != nil {
				return err
			}
		}
		to.put(jsontext.EndArray)
		return nil
	}
}

func readList(of reflect.Type, element *codec) reads {
	return func(from *stateReader, value reflect.Value) error {
		if err := from.open('['); err != nil {
			return err
		}
		made := reflect.MakeSlice(of, 0, 0)
		for from.PeekKind() != ']' {
			one := reflect.New(of.Elem()).Elem()
			if err := element.read(from, one); err != nil {
				return err
			}
			made = reflect.Append(made, one)
		}
		value.Set(made)
		_, err := from.ReadToken()
		return err
	}
}

func optionCodec(of reflect.Type) (*codec, error) {
	inner, err := anyCodecOf(of.Elem())
	if err != nil {
		return nil, err
	}
	return &codec{name: "option<" + inner.name + ">",
		write: func(to *stateWriter, value reflect.Value) error {
			if value.IsNil() {
				return writeNull(to, value)
			}
			to.put(jsontext.BeginArray)
			err := inner.write(to, value.Elem())
			to.put(jsontext.EndArray)
			return err
		},
		read: func(from *stateReader, value reflect.Value) error {
			if from.PeekKind() == 'n' {
				value.SetZero()
				return readNull(from, value)
			}
			if err := from.open('['); err != nil {
				return err
			}
			made := reflect.New(of.Elem())
			if err := inner.read(from, made.Elem()); err != nil {
				return err
			}
			value.Set(made)
			return from.close()
		},
	}, nil
}

// close reads the end of an array.
func (r *stateReader) close() error {
	token, err := r.ReadToken()
	if err == nil && token.Kind() != ']' {
		err = errors.New("it has too many values")
	}
	return err
}

func mapCodec(of reflect.Type) (*codec, error) {
	key, err := anyCodecOf(of.Key())
	if err != nil {
		return nil, err
	}
	switch of.Key().Kind() {
	case reflect.Float32, reflect.Float64, reflect.Struct, reflect.Pointer:
		return nil, fmt.Errorf("%v: the key of a map is an integer, a bool, a Char, a string or Bytes", of)
	}
	inner, err := anyCodecOf(of.Elem())
	if err != nil {
		return nil, err
	}
	return &codec{name: "map<" + key.name + ", " + inner.name + ">",
		write: func(to *stateWriter, value reflect.Value) error { return writeMap(to, value, key, inner) },
		read:  func(from *stateReader, value reflect.Value) error { return readMap(from, value, key, inner) },
	}, nil
}

func writeMap(to *stateWriter, value reflect.Value, key, inner *codec) error {
	keys := value.MapKeys()
	slices.SortFunc(keys, func(one, other reflect.Value) int {
		return cmp.Compare(keyText(one), keyText(other))
	})
	to.put(jsontext.BeginArray)
	for _, at := range keys {
		to.put(jsontext.BeginArray)
		if err := key.write(to, at); err != nil {
			return err
		}
		if err := inner.write(to, value.MapIndex(at)); err != nil {
			return err
		}
		to.put(jsontext.EndArray)
	}
	to.put(jsontext.EndArray)
	return nil
}

// keyText is what a key is sorted by.
func keyText(key reflect.Value) string {
	if bytes, ok := key.Interface().(Bytes); ok {
		return base64.StdEncoding.EncodeToString([]byte(bytes))
	}
	return fmt.Sprint(key.Interface())
}

func readMap(from *stateReader, value reflect.Value, key, inner *codec) error {
	if err := from.open('['); err != nil {
		return err
	}
	made := reflect.MakeMap(value.Type())
	for from.PeekKind() != ']' {
		if err := from.open('['); err != nil {
			return err
		}
		at, one := reflect.New(value.Type().Key()).Elem(), reflect.New(value.Type().Elem()).Elem()
		if err := key.read(from, at); err != nil {
			return err
		}
		if err := inner.read(from, one); err != nil {
			return err
		}
		if err := from.close(); err != nil {
			return err
		}
		if made.MapIndex(at).IsValid() {
			return errors.New("a key is there twice")
		}
		made.SetMapIndex(at, one)
	}
	value.Set(made)
	return from.close()
}

func writeJSON(to *stateWriter, value reflect.Value) error {
	text, err := json.Marshal(value.Interface())
	if err != nil {
		return err
	}
	return writeChecked(to, text)
}

func writeChecked(to *stateWriter, text []byte) error {
	if err := checkNumbers(text); err != nil {
		return err
	}
	return to.WriteValue(text)
}

func readChecked(from *stateReader) (jsontext.Value, error) {
	text, err := from.ReadValue()
	if err != nil {
		return nil, err
	}
	return text, checkNumbers(text)
}

func readJSON(from *stateReader, value reflect.Value) error {
	text, err := readChecked(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, value.Addr().Interface())
}

func writeRawJSON(plain *codec) writes {
	return func(to *stateWriter, value reflect.Value) error {
		text, err := plain.append(nil, value)
		if err != nil {
			return err
		}
		return writeChecked(to, text)
	}
}

func readRawJSON(plain *codec) reads {
	return func(from *stateReader, value reflect.Value) error {
		text, err := readChecked(from)
		if err != nil {
			return err
		}
		return plain.decode(text, value)
	}
}

// checkNumbers finds those that not every language would read alike.
func checkNumbers(text []byte) error {
	from := jsontext.NewDecoder(bytes.NewReader(text))
	for {
		if from.PeekKind() != '0' {
			if _, err := from.ReadToken(); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			continue
		}
		digits, err := from.ReadValue()
		if err != nil {
			return err
		}
		n, err := strconv.ParseFloat(string(digits), 64)
		if err != nil {
			return errRange
		}
		if math.Abs(n) >= 1<<53 && n == math.Trunc(n) {
			return fmt.Errorf("%s is beyond ±9007199254740991", digits)
		}
	}
}
