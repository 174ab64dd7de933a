package config

import "go.yaml.in/yaml/v3"

// Line is where a path of keys stands in a file: the line of the last of them that is there; 0 if not even the first is,
// or the text is no YAML.
func Line(text []byte, path ...string) int {
	document, err := parse("", text)
	if err != nil {
		return 0
	}
	line := 0
	for _, key := range path {
		at := -1
		for i := 0; document.Kind == yaml.MappingNode && i+1 < len(document.Content); i += 2 {
			if document.Content[i].Value == key {
				at = i
			}
		}
		if at < 0 {
			break
		}
		line, document = document.Content[at].Line, document.Content[at+1]
	}
	return line
}
