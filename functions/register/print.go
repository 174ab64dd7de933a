package register

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Print writes, for each entry, the JSON body, the curl call that sends it, and what to click instead.
func Print(w io.Writer, entries []Entry) error {
	if _, err := fmt.Fprint(w, preface); err != nil {
		return err
	}
	for _, entry := range entries {
		body, err := encode(entry.Extension)
		if err != nil {
			return fmt.Errorf("print %q: %w", entry.Name, err)
		}
		if _, err := fmt.Fprintf(w, "\n%s\n%s, %s at %s in the PIM %s\n%s\n\n%s\n%s\n%s", rule, entry.Name, entry.Type, entry.Position, entry.PIM.Name, rule, body, curl(entry, body), clicks(entry)); err != nil {
			return err
		}
	}
	return nil
}

const rule = "----------------------------------------------------------------------"

const preface = `For each extension and position: the body of the PIM's API, the curl call that creates it, and what to click instead.

By curl:    the connection's user needs a role with "Extensions > Manage your extensions using the API".
            PIM_TOKEN is an access token of the connection. It lives for an hour:
              export PIM_TOKEN=$(curl -sS -u "$CLIENT_ID:$CLIENT_SECRET" -H 'Content-Type: application/json' \
                -d '{"grant_type":"password","username":"…","password":"…"}' "$PIM_URL/api/oauth/v1/token" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
            pimctl plan knows by the end of the description that it is ours.
            An extension belongs to the user that creates it. To change one, send the same body with
            -X PATCH to …/ui-extensions/{uuid}, the secret included.
By clicking: an administrator, in System > Extensions. Then reload the PIM's page.

$SECRET_… is the extension's secret in the signing document (make secrets; --show-secrets prints it here).
`

// curl is the call, safe to paste: everything but the variables of secrets stands in single quotes.
func curl(entry Entry, body []byte) string {
	data := quote(string(body))
	for _, name := range variables(body) {
		data = strings.ReplaceAll(data, "$"+name, `'"$`+name+`"'`)
	}
	return fmt.Sprintf("curl -sS -X POST %s \\\n  -H \"Authorization: Bearer $PIM_TOKEN\" -H 'Content-Type: application/json' \\\n  --data-binary %s\n",
		quote(entry.PIM.URL+"/api/rest/v1/ui-extensions"), data)
}

// variables lists the placeholders of a body.
func variables(body []byte) []string {
	var names []string
	var values struct {
		Configuration struct{ Secret string }
		Credentials   []struct{ Value any }
	}
	if json.Unmarshal(body, &values) != nil {
		return nil
	}
	found := []any{values.Configuration.Secret}
	for _, c := range values.Credentials {
		found = append(found, c.Value)
	}
	for _, value := range found {
		if text, ok := value.(string); ok && strings.HasPrefix(text, "$SECRET_") {
			names = append(names, text[1:])
		}
	}
	return names
}

// quote makes one word of any text for a POSIX shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// clicks is the same by hand, with the names that the PIM's form has.
func clicks(entry Entry) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-15s %s\n", name, value)
		}
	}
	b.WriteString("Or: System > Extensions > Create\n")
	line("Name", entry.Name)
	line("Type", map[string]string{"action": "Action", "iframe": "Embedded view", "link": "Link", "data_component": "Data component"}[entry.Type])
	line("Position", entry.Position)
	line("Label", entry.Configuration.DefaultLabel)
	line("URL", entry.Configuration.URL)
	line("Secret", entry.Configuration.Secret)
	for _, c := range entry.Credentials {
		value, err := encode(c.Value)
		if err != nil {
			continue
		}
		line("Credentials", c.Type+" "+strings.TrimSpace(string(value)))
	}
	return b.String()
}

// encode is JSON for people: indented, with & and < as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(v)
	return b.Bytes(), err
}
