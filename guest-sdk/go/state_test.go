package ractor

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The types that the examples name besides those of Go.
type (
	jsonOrder   []byte
	protoOrder  []byte
	potOrder    []byte
	opaqueThing []byte
)

func (jsonOrder) RactorType() string   { return "json<Order>" }
func (protoOrder) RactorType() string  { return "protobuf<shop.Order>" }
func (potOrder) RactorType() string    { return "pot<Order>" }
func (opaqueThing) RactorType() string { return "opaque<Thing>" }

var typesByName = func() map[string]reflect.Type {
	types := map[string]reflect.Type{}
	for _, value := range []any{uint8(0), uint16(0), uint32(0), uint64(0), U128{}, int8(0), int16(0), int32(0), int64(0), I128{}, float32(0),
		float64(0), false, Char(0), "", []byte(nil), Unit{}, jsonOrder(nil), protoOrder(nil), potOrder(nil), opaqueThing(nil)} {
		codec, err := codecOf(reflect.TypeOf(value))
		if err != nil {
			panic(err)
		}
		types[codec.name] = reflect.TypeOf(value)
	}
	return types
}()

// typeNamed is the type of Go with a name of the grammar.
func typeNamed(t *testing.T, name string) reflect.Type {
	t.Helper()
	if found, ok := typesByName[name]; ok {
		return found
	}
	format, inner, _ := strings.Cut(strings.TrimSuffix(name, ">"), "<")
	switch format {
	case "list":
		return reflect.SliceOf(typeNamed(t, inner))
	case "option":
		return reflect.PointerTo(typeNamed(t, inner))
	case "map":
		key, value, _ := strings.Cut(inner, ", ")
		if key == "bytes" {
			return reflect.MapOf(typeOfBytes, typeNamed(t, value))
		}
		return reflect.MapOf(typeNamed(t, key), typeNamed(t, value))
	}
	t.Fatalf("no type %s", name)
	return nil
}

// example is one of tests/portable-state, whose README says what it is.
type example struct {
	Name     string
	Declared []struct {
		Name, Type string
		Default    *struct{ Hex string }
	}
	State    string
	StateHex string `json:"state-hex"`
	Means    map[string]any
	Written  bool
	Field    *string
	Reason   string
}

func examples(t *testing.T, file string) []example {
	t.Helper()
	folder := os.Getenv("RACTOR_PORTABLE_STATE")
	if folder == "" {
		folder = "../../tests/portable-state"
	}
	text, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		t.Fatal(err)
	}
	var all []example
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// declared is a struct with the fields of an example, and its state.
func (e *example) declared(t *testing.T) (reflect.Value, []field, []byte) {
	t.Helper()
	var fields []reflect.StructField
	for i, declared := range e.Declared {
		tag := declared.Name
		if declared.Default != nil {
			tag += ",optional"
		}
		fields = append(fields, reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: typeNamed(t, declared.Type),
			Tag: reflect.StructTag(fmt.Sprintf("ractor:%q", tag))})
	}
	into := reflect.New(reflect.StructOf(fields)).Elem()
	made, err := fieldsOf(into.Type())
	if err != nil {
		t.Fatal(err)
	}
	for i, declared := range e.Declared {
		if declared.Default != nil {
			bytes, _ := hex.DecodeString(declared.Default.Hex)
			if err := made[i].codec.decode(bytes, into.Field(i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	state := []byte(e.State)
	if e.StateHex != "" {
		if state, err = hex.DecodeString(e.StateHex); err != nil {
			t.Fatal(err)
		}
	}
	return into, made, state
}

// meaning is a value as the examples have it.
func meaning(t *testing.T, value reflect.Value) any {
	t.Helper()
	codec, err := anyCodecOf(value.Type())
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case strings.HasPrefix(codec.name, "json<"):
		var parsed any
		if err := json.Unmarshal(value.Bytes(), &parsed); err != nil {
			t.Fatal(err)
		}
		return map[string]any{"json": parsed}
	case strings.HasPrefix(codec.name, "protobuf<"):
		return map[string]any{"hex": hex.EncodeToString(value.Bytes())}
	case codec.append != nil:
		bytes, err := codec.append(nil, value)
		if err != nil {
			t.Fatal(err)
		}
		return map[string]any{"hex": hex.EncodeToString(bytes)}
	}
	switch value.Kind() {
	case reflect.Pointer:
		if value.IsNil() {
			return map[string]any{"none": true}
		}
		return map[string]any{"some": meaning(t, value.Elem())}
	case reflect.Slice:
		list := []any{}
		for i := range value.Len() {
			list = append(list, meaning(t, value.Index(i)))
		}
		return map[string]any{"list": list}
	}
	entries := []any{}
	for _, key := range value.MapKeys() {
		entries = append(entries, []any{meaning(t, key), meaning(t, value.MapIndex(key))})
	}
	return map[string]any{"map": entries}
}

// alike compares two values of JSON. The entries of maps are in any order.
func alike(one, other any) bool {
	if of, ok := one.(map[string]any); ok {
		if entries, ok := of["map"].([]any); ok {
			others, _ := other.(map[string]any)["map"].([]any)
			text := func(value any) string { return fmt.Sprint(value) }
			byText := func(a, b any) int { return strings.Compare(text(a), text(b)) }
			slices.SortFunc(entries, byText)
			slices.SortFunc(others, byText)
		}
	}
	return reflect.DeepEqual(one, other)
}

func TestStatesOfOtherLanguagesAreReadAndWritten(t *testing.T) {
	for _, example := range examples(t, "valid.json") {
		t.Run(example.Name, func(t *testing.T) {
			into, fields, state := example.declared(t)
			if err := readFields(state, into, fields); err != nil {
				t.Fatal(err)
			}
			for i, field := range fields {
				if found := meaning(t, into.Field(i)); !alike(found, example.Means[field.name]) {
					t.Errorf("%s means %v, and not %v", field.name, found, example.Means[field.name])
				}
			}
			written, err := writeFields(into, fields)
			if err != nil {
				t.Fatal(err)
			}
			if example.Written {
				var one, other any
				if json.Unmarshal(written, &one) != nil || json.Unmarshal(state, &other) != nil || !reflect.DeepEqual(one, other) {
					t.Errorf("it is written as %s", written)
				}
			}
			again := reflect.New(into.Type()).Elem()
			if err := readFields(written, again, fields); err != nil {
				t.Errorf("what was written is refused: %v", err)
			}
		})
	}
}

func TestStatesThatDontFitAreRefusedWithTheNameOfTheField(t *testing.T) {
	words := map[string]string{"value": "the value of the field", "type": "is declared as", "missing": "lacks the field",
		"undeclared": "that is not declared", "format": "is not portable"}
	for _, example := range examples(t, "invalid.json") {
		t.Run(example.Name, func(t *testing.T) {
			into, fields, state := example.declared(t)
			before := fmt.Sprint(into.Interface())
			err := readFields(state, into, fields)
			if err == nil {
				t.Fatalf("it is understood as %v", into.Interface())
			}
			isSaid := false
			for _, reason := range strings.Split(example.Reason, " or ") {
				isSaid = isSaid || strings.Contains(err.Error(), words[reason])
			}
			if !isSaid || example.Field != nil && !strings.Contains(err.Error(), "`"+*example.Field+"`") {
				t.Errorf("the reason is: %v", err)
			}
			if after := fmt.Sprint(into.Interface()); after != before {
				t.Errorf("it was %s and became %s", before, after)
			}
		})
	}
}

func TestFieldsAreNamedAsInEveryLanguage(t *testing.T) {
	for name, expected := range map[string]string{"Count": "count", "LastSeen": "last_seen", "UserID": "user_id", "HTTPServer": "http_server",
		"Last_seen": "last_seen", "X": "x"} {
		if found := underscored(name); found != expected {
			t.Errorf("%s is %s, and not %s", name, found, expected)
		}
	}
}

func TestNumbersThatNotAllLanguagesHoldAreNotWritten(t *testing.T) {
	type basket struct{ Sum uint64 }
	state := struct{ Basket basket }{basket{1 << 53}}
	if _, err := PortableSnapshot(&state); err == nil || !strings.Contains(err.Error(), "`basket`") {
		t.Errorf("the error is %v", err)
	}
	notText := struct{ Name string }{"\xff"}
	if _, err := PortableSnapshot(&notText); err == nil || !strings.Contains(err.Error(), "`name`") {
		t.Errorf("the error is %v", err)
	}
	infinite := struct{ Far float64 }{math.Inf(-1)}
	if state, err := PortableSnapshot(&infinite); err != nil || !strings.Contains(string(state), `"-Infinity"`) {
		t.Errorf("the state is %s, the error %v", state, err)
	}
}
