package callback_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/callback"
	"github.com/pim-functions/pim-functions/shared/web"
)

func TestWhatACallbackMayBe(t *testing.T) {
	whole := `{"status":"failed","message":"No translator","failures":[{"index":0,"reason":"too long"},{"id":"p2"}],
		"updates":[{"uuid":"p1","values":{"name":[{"locale":"fr_FR","scope":null,"data":"Un"}]},"categories":["a"],"groups":[],"enabled":true},{"code":"m"}],"result":{"words":12}}`
	b, err := callback.Parse([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	if !b.Failed || b.Message != "No translator" || len(b.Failures) != 2 || *b.Failures[0].Index != 0 || b.Failures[1].ID != "p2" || len(b.Updates) != 2 || string(b.Updates[1]) != `{"code":"m"}` || string(b.Result) != `{"words":12}` {
		t.Errorf("%+v", b)
	}
	for _, good := range []string{`{}`, `{"status":"succeeded"}`, `{"status":null,"message":null,"failures":null,"updates":null,"result":null}`, `{"failures":[],"updates":[]}`} {
		if b, err := callback.Parse([]byte(good)); err != nil || b.Failed {
			t.Errorf("%s: %+v, %v", good, b, err)
		}
	}
}

func TestWhatACallbackMayNotBe(t *testing.T) {
	for _, bad := range []string{
		``, `hello`, `[]`, `null`, `{} {}`, `{"status":"failed"`, "{\"message\":\"\xff\"}", `{"message":"a","message":"b"}`, strings.Repeat(`{"result":`, 100),
		`{"state":"done"}`, `{"Status":"failed"}`, `{"status":"done"}`, `{"status":true}`, `{"message":7}`, `{"result":[1]}`, `{"result":"x"}`,
		`{"failures":{}}`, `{"failures":[1]}`, `{"failures":[{}]}`, `{"failures":[{"index":0,"id":"a"}]}`, `{"failures":[{"index":-1}]}`, `{"failures":[{"index":"0"}]}`, `{"failures":[{"index":1.5}]}`,
		`{"failures":[{"id":7}]}`, `{"failures":[{"id":"a","reason":{}}]}`, `{"failures":[{"id":"a","why":"b"}]}`,
		`{"updates":{}}`, `{"updates":["p1"]}`, `{"updates":[{}]}`, `{"updates":[{"uuid":"a","code":"b"}]}`, `{"updates":[{"uuid":""}]}`, `{"updates":[{"uuid":7}]}`, `{"updates":[{"uuid":"a","family":"b"}]}`,
		`{"updates":[{"uuid":"a","values":[]}]}`, `{"updates":[{"uuid":"a","values":{"name":"x"}}]}`, `{"updates":[{"uuid":"a","values":{"name":["x"]}}]}`, `{"updates":[{"uuid":"a","categories":"b"}]}`, `{"updates":[{"uuid":"a","groups":[1]}]}`, `{"updates":[{"uuid":"a","enabled":"yes"}]}`, `{"updates":[{"uuid":"a","values":{},"values":{}}]}`,
	} {
		_, err := callback.Parse([]byte(bad))
		if refused, ok := errors.AsType[*web.Error](err); !ok || refused.Message == "" {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// What is taken is JSON of the checked form, and what is refused says why in our own words.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{}`, `{"status":"failed","failures":[{"index":1e9}]}`, `{"updates":[{"uuid":"a","values":{"b":[{"data":[1]}]}}]}`, `{"result":{"a":[]}}`, "{\"message\":\"\\ud800\"}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := callback.Parse(data)
		if err != nil {
			if _, ok := errors.AsType[*web.Error](err); !ok {
				t.Fatalf("%v", err)
			}
			return
		}
		for _, failure := range b.Failures {
			if (failure.Index == nil) == (failure.ID == "") {
				t.Errorf("%+v", failure)
			}
		}
	})
}
