package config

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
)

// object is a part of a JSON Schema (draft 7, which editors' YAML servers read).
type object = map[string]any

const (
	variablePattern = `\$\{[A-Za-z_][A-Za-z0-9_]*\}`
	namePattern     = `^[A-Za-z0-9_-]{1,40}$`
	localePattern   = `^(default|[A-Za-z]{2,}_[A-Za-z0-9_]{2,})$`
	durationPattern = `^([0-9]+d)?([0-9.]+(h|m|s|ms))*$|` + variablePattern
)

// Schema is the JSON Schema of extensions.yaml for editors, made of what Load checks by. kinds are the kinds of action
// with the structs that their keys are decoded into; nil leaves a kind's keys open. It knows forms and words; whether
// a name leads somewhere, and all that goes beyond one key, is Load's.
func Schema(kinds map[string]any) ([]byte, error) {
	schema := properties(fileKeys)
	schema["$schema"], schema["title"] = "http://json-schema.org/draft-07/schema#", "extensions.yaml"
	top := schema["properties"].(object)
	top["environments"] = described(fileKeys, "environments", named(object{"type": "object", "additionalProperties": anyScalar}))
	top["actions"] = described(fileKeys, "actions", named(actionSchema(kinds)))
	top["extensions"] = described(fileKeys, "extensions", named(extensionSchema()))

	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(schema)
	return text.Bytes(), err
}

// anyScalar is one value: YAML reads 1.10 and yes as a number and a truth value, Load as they are written.
var anyScalar = object{"type": []string{"string", "number", "boolean"}}

// named is a mapping of names of the file's author.
func named(value object) object {
	return object{"type": "object", "propertyNames": object{"pattern": namePattern}, "additionalProperties": value}
}

func described(keys []key, name string, value object) object {
	i := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
	value["description"] = keys[i].doc
	return value
}

// properties is a mapping of these keys alone.
func properties(keys []key) object {
	all, required := object{}, []string{}
	for _, k := range keys {
		all[k.name] = valueSchema(k)
		if k.need != "" {
			required = append(required, k.name)
		}
	}
	schema := object{"type": "object", "properties": all, "additionalProperties": false}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

func valueSchema(k key) object {
	schema := object{}
	switch k.form {
	case formText:
		schema = maps.Clone(anyScalar)
	case formWord:
		words := []any{}
		for _, word := range k.words {
			words = append(words, word)
			if word == "off" {
				words = append(words, false) // as readers of YAML 1.1 take it
			}
		}
		schema["anyOf"] = []object{{"enum": words}, {"type": "string", "pattern": variablePattern}}
	case formFlag:
		schema["anyOf"] = []object{{"type": "boolean"}, {"type": "string", "pattern": "^(true|false)$|" + variablePattern}}
	case formDuration:
		schema["type"], schema["pattern"] = "string", durationPattern
	case formTexts:
		schema["type"], schema["items"], schema["uniqueItems"] = "array", anyScalar, true
	case formTextOrTexts:
		list := object{"type": "array", "items": anyScalar, "uniqueItems": true, "minItems": 1}
		schema["anyOf"] = []object{anyScalar, list}
	case formLocalized:
		schema = localizedSchema()
		schema["required"] = []string{"default"}
	case formIdentifier:
		attribute := object{"type": "object", "properties": object{"attribute": anyScalar}, "required": []string{"attribute"}, "additionalProperties": false}
		schema["anyOf"] = []object{{"enum": k.words}, {"type": "string", "pattern": variablePattern}, attribute}
	case formFilters:
		filter := object{"type": "object", "required": []string{"operator"}, "propertyNames": object{"enum": filterKeys}}
		schema["type"], schema["additionalProperties"] = "object", object{"type": "array", "items": filter}
	case formMessages:
		messages := object{}
		for _, name := range k.words {
			messages[name] = localizedSchema()
		}
		schema["type"], schema["properties"], schema["additionalProperties"] = "object", messages, false
	case formMapping:
		schema = properties(k.keys)
	case formNamed:
		schema = named(properties(k.keys))
	case formValues:
		schema["type"], schema["additionalProperties"] = "object", anyScalar
	}
	schema["description"] = k.doc
	return schema
}

func localizedSchema() object {
	return object{"type": "object", "propertyNames": object{"pattern": localePattern}, "additionalProperties": anyScalar}
}

// extensionSchema adds to the keys which of them are for which type.
func extensionSchema() object {
	schema := properties(extensionKeys)
	var types []object
	for _, kind := range extensionTypes {
		others, own := object{}, []string{}
		for name, of := range typeKeys {
			if !slices.Contains(of, kind) {
				others[name] = false
			}
		}
		for _, need := range typeNeeds[kind] {
			own = append(own, need.name)
		}
		types = append(types, object{
			"if":   object{"properties": object{"type": object{"const": kind}}, "required": []string{"type"}},
			"then": object{"properties": others, "required": own},
		})
	}
	schema["allOf"] = types
	return schema
}

// actionSchema adds to the keys of every kind those of each.
func actionSchema(kinds map[string]any) object {
	schema := properties(actionKeys)
	delete(schema, "additionalProperties")
	common := schema["properties"].(object)
	names := slices.Sorted(maps.Keys(kinds))
	common["kind"].(object)["anyOf"] = []object{{"enum": names}, {"type": "string", "pattern": variablePattern}}
	delete(common["kind"].(object), "type")
	var each []object
	for _, name := range names {
		if kinds[name] == nil {
			continue
		}
		own := typeSchema(reflect.TypeOf(kinds[name]))
		for key := range common {
			own["properties"].(object)[key] = true
		}
		each = append(each, object{
			"if":   object{"properties": object{"kind": object{"const": name}}, "required": []string{"kind"}},
			"then": own,
		})
	}
	schema["allOf"] = each
	return schema
}

// typeSchema is what Section.Decode takes for a type.
func typeSchema(t reflect.Type) object {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == durationType:
		return object{"type": "string", "pattern": durationPattern + "|^secret:"}
	case t == nodeType:
		return object{}
	}
	switch t.Kind() {
	case reflect.Struct:
		all := object{}
		for name, value := range structKeys(t) {
			all[name] = typeSchema(value)
		}
		return object{"type": "object", "properties": all, "additionalProperties": false}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": typeSchema(t.Elem())}
	case reflect.Slice:
		return object{"type": "array", "items": typeSchema(t.Elem())}
	case reflect.Interface:
		return object{}
	case reflect.String:
		return maps.Clone(anyScalar)
	case reflect.Bool:
		return object{"anyOf": []object{{"type": "boolean"}, {"type": "string", "pattern": "^(true|false)$|" + variablePattern}}}
	case reflect.Float32, reflect.Float64:
		return object{"anyOf": []object{{"type": "number"}, {"type": "string", "pattern": "^[0-9.]+$|" + variablePattern}}}
	default:
		return object{"anyOf": []object{{"type": "integer"}, {"type": "string", "pattern": "^[0-9]+$|" + variablePattern}}}
	}
}
