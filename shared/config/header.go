package config

import "regexp"

// Limits of the headers that the Event Platform adds (Akeneo: "Event Platform", "Concepts").
const maxHeaders = 5

var (
	headerName  = regexp.MustCompile(`^[A-Za-z0-9-]{1,128}$`)
	headerValue = regexp.MustCompile(`^[ -~]{1,256}$`)
	headerTaken = regexp.MustCompile(`(?i)^(content-type|user-agent|x-correlation-id|host|authorization|cookie|x-akeneo-signature-.*)$`)
)

// headers reads what the Event Platform is to add to what it sends.
func (t table) headers() map[string]string {
	e, ok := t.find("headers")
	if !ok {
		return nil
	}
	if t.written("api") == "events-api" {
		t.errorf(e.key, "remove it", "headers of %s: the Events API knows none", t.what)
		return nil
	}
	headers := map[string]string{}
	for _, one := range t.sub("headers").entries {
		name, value := one.key.Value, t.scalarOf("header "+one.key.Value+" of "+t.what, one.value).text
		switch {
		case !headerName.MatchString(name):
			t.errorf(one.key, "use letters, digits and -", "header %q of %s is no name of a header", name, t.what)
		case headerTaken.MatchString(name):
			t.errorf(one.key, "name it otherwise: X-Api-Key", "header %q of %s is the Event Platform's own", name, t.what)
		case value != "" && !headerValue.MatchString(value):
			t.errorf(one.value, "use at most 256 plain characters", "header %q of %s cannot be sent", name, t.what)
		}
		headers[name] = value
	}
	if len(headers) > maxHeaders {
		t.errorf(e.key, "leave some out", "%s has %d headers, and the Event Platform takes %d", t.what, len(headers), maxHeaders)
	}
	return headers
}
