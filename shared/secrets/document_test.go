package secrets_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/secrets"
)

const signing = `{
  "extensions": {
    "export_to_erp": {
      "secrets": ["new", {"SecretString": "old"}],
      "credential": {"type": "basic", "username": "pim", "password": "word"}
    },
    "bare": {}
  },
  "events-api": {"main": ["a"]},
  "event-platform": {"main": ["b", "c"], "main/notifications": ["d"]},
  "contentful": ["e"]
}`

func TestParseSigning(t *testing.T) {
	got, warnings, err := secrets.ParseSigning([]byte(signing))
	if err != nil || len(warnings) != 0 {
		t.Fatal(warnings, err)
	}
	want := secrets.Signing{
		Extensions: map[string]secrets.Extension{
			"export_to_erp": {
				Secrets:     []string{"new", "old"},
				Credentials: []secrets.Credential{{Type: "basic", Username: "pim", Password: "word"}},
			},
			"bare": {},
		},
		EventsAPI:     map[string][]string{"main": {"a"}},
		EventPlatform: map[string][]string{"main": {"b", "c"}, "main/notifications": {"d"}},
		Contentful:    []string{"e"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

// During a rotation an extension has two credentials.
func TestACredentialMayBeAList(t *testing.T) {
	got, warnings, err := secrets.ParseSigning([]byte(`{"extensions": {
		"a": {"credential": [{"type": "bearer", "token": "old\n"}, {"type": "bearer", "token": {"SecretString": "new"}}]},
		"b": {"credential": []},
		"c": {"credential": null}
	}}`))
	if err != nil || !slices.Equal(warnings, []string{"extensions.a.credential[0].token: trailing newline trimmed"}) {
		t.Fatal(warnings, err)
	}
	want := []secrets.Credential{{Type: "bearer", Token: "old"}, {Type: "bearer", Token: "new"}}
	if !slices.Equal(got.Extensions["a"].Credentials, want) || len(got.Extensions["b"].Credentials)+len(got.Extensions["c"].Credentials) > 0 {
		t.Errorf("%+v", got.Extensions)
	}
	if _, _, err := secrets.ParseSigning([]byte(`{"extensions":{"a":{"credential":["hunter2"]}}}`)); err == nil || !strings.Contains(err.Error(), "extensions.a.credential[0]: expected") || strings.Contains(err.Error(), "hunter") {
		t.Error(err)
	}
}

func TestParseConnections(t *testing.T) {
	got, warnings, err := secrets.ParseConnections([]byte(`{
		"pims": {"main": {"client_id": "1_a", "client_secret": {"SecretString": "b"}, "username": "c", "password": "d\n"}, "app": {"client_id": "2_b", "token": "t"}},
		"auth": {"erp": {"bearer": {"SecretString": "e\n"}}, "crm": {"header": "X-Key", "value": "<&>", "n": 12345678901234567890}, "old": "f"},
		"values": {"slack": {"ARN": "arn:aws:…", "SecretString": "https://hooks.example.com/a"}},
		"sftp": {"erp": {"host": "h", "port": 22, "password": {"SecretString": "i"}}},
		"contentful": {"token": "g", "app": [1, {"SecretString": "h"}]}
	}`))
	if err != nil {
		t.Fatal(err)
	}
	want := secrets.Connections{
		PIMs: map[string]secrets.PIM{"main": {ClientID: "1_a", ClientSecret: "b", Username: "c", Password: "d"}, "app": {ClientID: "2_b", Token: "t"}},
		Auth: map[string]json.RawMessage{
			"erp": json.RawMessage(`{"bearer":"e"}`),
			"crm": json.RawMessage(`{"header":"X-Key","n":12345678901234567890,"value":"<&>"}`),
			"old": json.RawMessage(`"f"`),
		},
		Values:     map[string]string{"slack": "https://hooks.example.com/a"},
		SFTP:       map[string]json.RawMessage{"erp": json.RawMessage(`{"host":"h","password":"i","port":22}`)},
		Contentful: json.RawMessage(`{"app":[1,"h"],"token":"g"}`),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s", asJSON(t, got))
	}
	if !slices.Equal(warnings, []string{"pims.main.password: trailing newline trimmed", "auth.erp.bearer: trailing newline trimmed"}) {
		t.Errorf("warnings %q", warnings)
	}
}

func TestParseSigningWarns(t *testing.T) {
	for document, want := range map[string]string{
		`{"contentful":["a\n"]}`:                                          "contentful[0]: trailing newline trimmed",
		`{"contentful":["a\r\n"]}`:                                        "contentful[0]: trailing newline trimmed",
		`{"contentful":[{"SecretString":"a\n"}]}`:                         "contentful[0]: trailing newline trimmed",
		`{"Contentful":["a"]}`:                                            "Contentful: unknown key, ignored",
		`{"extensions":{"a":{"secret":"a"}}}`:                             "extensions.a.secret: unknown key, ignored",
		`{"extensions":{"a":{"credential":{"type":"digest"}}}}`:           "extensions.a.credential.type: not one of basic, bearer, header",
		`{"extensions":{"a":{"credential":{"type":"basic","user":"a"}}}}`: "extensions.a.credential.user: unknown key, ignored",
	} {
		_, warnings, err := secrets.ParseSigning([]byte(document))
		if err != nil || !slices.Equal(warnings, []string{want}) {
			t.Errorf("%s: %q, %v", document, warnings, err)
		}
	}
}

func TestParseKeepsWhatOthersJudge(t *testing.T) {
	got, warnings, err := secrets.ParseSigning([]byte(`{"contentful":["", " a ", "a\nb", "\u0000"]}`))
	if err != nil || len(warnings) != 0 || !slices.Equal(got.Contentful, []string{"", " a ", "a\nb", "\x00"}) {
		t.Errorf("%q, %q, %v", got.Contentful, warnings, err)
	}
}

func TestParseErrorsNamePlaceAndFormAndNoValue(t *testing.T) {
	parseSigning := func(document string) error {
		_, _, err := secrets.ParseSigning([]byte(document))
		return err
	}
	parseConnections := func(document string) error {
		_, _, err := secrets.ParseConnections([]byte(document))
		return err
	}
	for _, test := range []struct {
		parse    func(string) error
		document string
		want     []string
	}{
		{parseSigning, ``, []string{"not a JSON object"}},
		{parseSigning, `null`, []string{"not a JSON object"}},
		{parseSigning, `["hunter2"]`, []string{"not a JSON object"}},
		{parseSigning, "{\n\n\"contentful\":[\"hunter2\"", []string{"not a JSON object", "line 3"}},
		{parseSigning, "{\"contentful\":\nhunter2}", []string{"not a JSON object", "line 2"}},
		{parseSigning, `{"contentful":"hunter2"}`, []string{`contentful: expected a list of strings ["…"]`}},
		{parseSigning, `{"contentful":[["hunter2"]]}`, []string{`contentful[0]: expected a string or {"SecretString":"…"}`}},
		{parseSigning, `{"contentful":[2]}`, []string{"contentful[0]: expected a string"}},
		{parseSigning, `{"contentful":[{"SecretString":{"a":"hunter2"}}]}`, []string{"contentful[0]: expected a string"}},
		{parseSigning, `{"contentful":[{"secret":"hunter2"}]}`, []string{"contentful[0]: expected a string"}},
		{parseSigning, `{"events-api":["hunter2"]}`, []string{"events-api: expected an object"}},
		{parseSigning, `{"event-platform":{"main":"hunter2"}}`, []string{"event-platform.main: expected a list"}},
		{parseSigning, `{"extensions":{"a":"hunter2"}}`, []string{`extensions.a: expected {"secrets":["…"]`}},
		{parseSigning, `{"extensions":{"a":{"credential":"hunter2"}}}`, []string{"extensions.a.credential: expected"}},
		{parseSigning, `{"extensions":{"a":{"secrets":"hunter2"}},"contentful":"hunter2"}`, []string{"extensions.a.secrets", "contentful"}},
		{parseConnections, `{"pims":{"main":"hunter2"}}`, []string{`pims.main: expected {"client_id"`}},
		{parseConnections, `{"pims":{"main":{"password":["hunter2"]}}}`, []string{"pims.main.password: expected a string"}},
		{parseConnections, `{"values":{"slack":["hunter2"]}}`, []string{"values.slack: expected a string"}},
		{parseConnections, `{"auth":"hunter2"}`, []string{"auth: expected an object"}},
	} {
		err := test.parse(test.document)
		if err == nil {
			t.Errorf("%s: no error", test.document)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: no %q in: %v", test.document, want, err)
			}
		}
		if strings.Contains(err.Error(), "hunter") || strings.Contains(err.Error(), "'h'") {
			t.Errorf("a value is in the error: %v", err)
		}
	}
}

// The law: a document is refused or read, never half; what was read once reads the same again.
func FuzzParseSigning(f *testing.F) {
	seeds := []string{
		signing, ``, `{}`, `null`, `[]`, `{"contentful":["a\n"]}`, `{"contentful":[{"SecretString":"a"}]}`,
		`{"extensions":{"":{"secrets":null,"credential":{}}}}`, `{"events-api":{"main":[1]}}`, `{"contentful":["\ud800"]}`,
	}
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		read, _, err := secrets.ParseSigning(document)
		if err != nil {
			if !reflect.DeepEqual(read, secrets.Signing{}) {
				t.Fatalf("an error and a value: %v", err)
			}
			return
		}
		again, _, err := secrets.ParseSigning(asJSON(t, read))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(read, again) {
			t.Fatalf("%s, then %s", asJSON(t, read), asJSON(t, again))
		}
	})
}

func asJSON(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
