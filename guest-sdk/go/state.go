package ractor

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// field is one of the state, in docs/types.md the "portable state".
type field struct {
	name  string
	index []int
	codec *codec
	// The field may be missing. It is what it was before then.
	optional bool
}

// fieldsOf are the exported fields of a struct. The tag `ractor:"name"` gives one another name, `ractor:",optional"` lets it be missing
// in a state of before, and `ractor:"-"` leaves it out.
func fieldsOf(of reflect.Type) ([]field, error) {
	var fields []field
	for _, found := range reflect.VisibleFields(of) {
		tag, options, _ := strings.Cut(found.Tag.Get("ractor"), ",")
		if !found.IsExported() || tag == "-" || found.Anonymous {
			continue
		}
		codec, err := anyCodecOf(found.Type)
		if err != nil {
			return nil, fmt.Errorf("the field %s: %w; the tag `ractor:\"-\"` leaves it out of the state", found.Name, err)
		}
		if tag == "" {
			tag = underscored(found.Name)
		}
		if slices.ContainsFunc(fields, func(other field) bool { return other.name == tag }) {
			return nil, fmt.Errorf("two fields of the state are named `%s`", tag)
		}
		fields = append(fields, field{tag, found.Index, codec, options == "optional"})
	}
	return fields, nil
}

// underscored is `LastSeen` as `last_seen`. Several capital letters in a row are one word.
func underscored(name string) string {
	var made strings.Builder
	letters := []rune(name)
	for i, letter := range letters {
		follows := i > 0 && letters[i-1] != '_' && (!unicode.IsUpper(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1]))
		if unicode.IsUpper(letter) && follows {
			made.WriteByte('_')
		}
		made.WriteRune(unicode.ToLower(letter))
	}
	return made.String()
}

// writeFields gives the portable state of a struct.
func writeFields(of reflect.Value, fields []field) ([]byte, error) {
	var text bytes.Buffer
	to := &stateWriter{jsontext.NewEncoder(&text)}
	to.put(jsontext.BeginObject, jsontext.String("ractor-state"), jsontext.Int(1), jsontext.String("fields"), jsontext.BeginObject)
	for _, field := range fields {
		to.put(jsontext.String(field.name), jsontext.BeginObject)
		to.put(jsontext.String("type"), jsontext.String(field.codec.name), jsontext.String("value"))
		if err := field.codec.write(to, of.FieldByIndex(field.index)); err != nil {
			return nil, fmt.Errorf("the value of the field `%s`: %w", field.name, err)
		}
		to.put(jsontext.EndObject)
	}
	to.put(jsontext.EndObject, jsontext.EndObject)
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

// readFields takes a portable state over into a struct, which is unchanged if that fails.
func readFields(state []byte, into reflect.Value, fields []field) error {
	// Half of a surrogate pair in a value is the fault of that value, and of the field that has it.
	from := &stateReader{jsontext.NewDecoder(bytes.NewReader(state), jsontext.AllowInvalidUTF8(true))}
	written, err := from.state()
	if !utf8.Valid(state) {
		err = errText
	}
	if err != nil {
		return fmt.Errorf("the state is not portable: %w", err)
	}
	made := reflect.New(into.Type()).Elem()
	made.Set(into)
	for _, field := range fields {
		value, ok := written[field.name]
		delete(written, field.name)
		if !ok {
			if field.optional {
				continue
			}
			return fmt.Errorf("the state lacks the field `%s`", field.name)
		}
		if value.kind != field.codec.name {
			return fmt.Errorf("the field `%s` is declared as %s, and written as %s", field.name, field.codec.name, value.kind)
		}
		from := &stateReader{jsontext.NewDecoder(bytes.NewReader(value.value))}
		if err := field.codec.read(from, made.FieldByIndex(field.index)); err != nil {
			return fmt.Errorf("the value of the field `%s` is no %s: %w", field.name, field.codec.name, err)
		}
	}
	for name := range written {
		return fmt.Errorf("the state has the field `%s`, that is not declared", name)
	}
	into.Set(made)
	return nil
}

// writtenField is one of a state.
type writtenField struct {
	kind  string
	value jsontext.Value
}

type stateReader struct{ *jsontext.Decoder }

func (r *stateReader) state() (map[string]writtenField, error) {
	whole, err := r.object("ractor-state", "fields")
	if err != nil {
		return nil, err
	}
	if _, err := r.ReadToken(); err != io.EOF {
		return nil, errors.New("something follows it")
	}
	if version, err := strconv.ParseFloat(string(whole["ractor-state"]), 64); err != nil || version != 1 {
		return nil, errors.New("its version, `ractor-state`, is not 1")
	}
	fields := &stateReader{jsontext.NewDecoder(bytes.NewReader(whole["fields"]), jsontext.AllowInvalidUTF8(true))}
	written := map[string]writtenField{}
	if err := fields.open('{'); err != nil {
		return nil, err
	}
	for fields.PeekKind() != '}' {
		name, err := fields.ReadToken()
		if err != nil {
			return nil, err
		}
		named := name.String()
		parts, err := fields.object("type", "value")
		if err != nil {
			return nil, fmt.Errorf("the field `%s`: %w", named, err)
		}
		var kind string
		if parts["type"].Kind() != '"' || json.Unmarshal(parts["type"], &kind) != nil {
			return nil, fmt.Errorf("the field `%s`: its type is no string", named)
		}
		written[named] = writtenField{kind, parts["value"]}
	}
	return written, nil
}

// object reads one with exactly these keys.
func (r *stateReader) object(keys ...string) (map[string]jsontext.Value, error) {
	if err := r.open('{'); err != nil {
		return nil, err
	}
	found := map[string]jsontext.Value{}
	for r.PeekKind() != '}' {
		key, err := r.ReadToken()
		if err != nil {
			return nil, err
		}
		name := key.String()
		if !slices.Contains(keys, name) {
			return nil, fmt.Errorf("it has the key `%s`", name)
		}
		value, err := r.ReadValue()
		if err != nil {
			return nil, err
		}
		found[name] = value.Clone()
	}
	for _, key := range keys {
		if found[key] == nil {
			return nil, fmt.Errorf("it lacks the key `%s`", key)
		}
	}
	_, err := r.ReadToken()
	return found, err
}

// open reads the beginning of an object or an array.
func (r *stateReader) open(kind jsontext.Kind) error {
	token, err := r.ReadToken()
	if err == nil && token.Kind() != kind {
		err = fmt.Errorf("it is no %s", map[jsontext.Kind]string{'{': "object", '[': "array"}[kind])
	}
	return err
}

func (r *stateReader) text() (string, error) {
	token, err := r.ReadToken()
	if err == nil && token.Kind() != '"' {
		err = errors.New("it is no string")
	}
	if err != nil {
		return "", err
	}
	return token.String(), nil
}

// number gives the digits of a JSON number.
func (r *stateReader) number() (string, error) {
	if r.PeekKind() != '0' {
		return "", errors.New("it is no number")
	}
	value, err := r.ReadValue()
	return string(value), err
}

func (r *stateReader) base64() ([]byte, error) {
	text, err := r.text()
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(text, "\r\n") {
		return nil, errors.New("it has ends of lines")
	}
	return base64.StdEncoding.Strict().DecodeString(text)
}

type stateWriter struct{ *jsontext.Encoder }

// put writes what can't be wrong.
func (w *stateWriter) put(tokens ...jsontext.Token) {
	for _, token := range tokens {
		_ = w.WriteToken(token)
	}
}

func (w *stateWriter) base64(bytes []byte) {
	w.put(jsontext.String(base64.StdEncoding.EncodeToString(bytes)))
}
