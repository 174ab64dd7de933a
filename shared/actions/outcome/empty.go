package outcome

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Empty says that a JSON value is null, false, zero, or has nothing in it.
func Empty(value json.RawMessage) bool {
	switch text := string(bytes.TrimSpace(value)); text {
	case "", "null", "false", `""`, "{}", "[]":
		return true
	default:
		var decoded any
		if json.Unmarshal(value, &decoded) != nil {
			return false
		}
		switch decoded := decoded.(type) {
		case float64:
			return decoded == 0
		case []any:
			return len(decoded) == 0
		case map[string]any:
			return len(decoded) == 0
		case string:
			return strings.TrimSpace(decoded) == ""
		}
	}
	return false
}
