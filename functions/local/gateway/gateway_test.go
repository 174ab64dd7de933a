package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/gateway"
	"github.com/pim-functions/pim-functions/shared/web"
)

// serve is a web.Handler made of a function.
type serve func(context.Context, *web.Request) (web.Response, error)

func (s serve) ServeRequest(ctx context.Context, r *web.Request) (web.Response, error) {
	return s(ctx, r)
}

func call(t *testing.T, r *http.Request, invoke gateway.Invoke) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	gateway.HTTP(invoke).ServeHTTP(w, r)
	return w
}

func TestEventIsComplete(t *testing.T) {
	r := httptest.NewRequest("POST", "http://api.example.com/actions/a%20b/c?x=1&x=2&y=%C3%A9", strings.NewReader(`{"é":1}`))
	r.Header = http.Header{"Content-Type": {"application/json; charset=utf-8"}, "X-Twice": {"1", "2"}, "Cookie": {"a=1; b=2"}, "User-Agent": {"test"}}
	var got map[string]any
	call(t, r, func(_ context.Context, payload []byte) ([]byte, error) {
		return []byte(`{"statusCode":200}`), json.Unmarshal(payload, &got)
	})
	requestContext, ok := got["requestContext"].(map[string]any)
	if !ok || requestContext["requestId"] == "" || time.Since(time.UnixMilli(int64(requestContext["timeEpoch"].(float64)))) > time.Minute {
		t.Fatalf("requestContext %v", got["requestContext"])
	}
	delete(requestContext, "requestId")
	delete(requestContext, "timeEpoch")
	delete(requestContext, "time")
	event, _ := json.Marshal(got)
	const want = `{"body":"{\"é\":1}","cookies":["a=1","b=2"],` +
		`"headers":{"content-length":"8","content-type":"application/json; charset=utf-8","host":"api.example.com","user-agent":"test","x-forwarded-for":"192.0.2.1","x-forwarded-proto":"http","x-twice":"1,2"},` +
		`"isBase64Encoded":false,"queryStringParameters":{"x":"1,2","y":"é"},"rawPath":"/actions/a b/c","rawQueryString":"x=1\u0026x=2\u0026y=%C3%A9",` +
		`"requestContext":{"accountId":"000000000000","apiId":"local","domainName":"api.example.com","domainPrefix":"api",` +
		`"http":{"method":"POST","path":"/actions/a b/c","protocol":"HTTP/1.1","sourceIp":"192.0.2.1","userAgent":"test"},"routeKey":"$default","stage":"$default"},"routeKey":"$default","version":"2.0"}`
	if string(event) != want {
		t.Errorf("got  %s\nwant %s", event, want)
	}
}

func TestARouteTellsWhatItMatched(t *testing.T) {
	for _, row := range []struct{ route, path, key, proxy string }{
		{"/actions/{proxy+}", "/actions/export", "ANY /actions/{proxy+}", "export"},
		{"/actions/{proxy+}", "/actions/export/actions/export", "ANY /actions/{proxy+}", "export/actions/export"},
		{"/actions/{proxy+}", "/actions//a%2Fb", "ANY /actions/{proxy+}", "/a/b"},
		{"/actions/{proxy+}", "/actions/", "$default", ""},
		{"/actions/{proxy+}", "/actions", "$default", ""},
		{"/actions/{proxy+}", "/stage/actions/export", "$default", ""},
		{"", "/actions/export", "$default", ""},
	} {
		gateway.Route(row.route, func(_ context.Context, payload []byte) ([]byte, error) {
			var event struct {
				RouteKey       string
				RequestContext struct{ RouteKey string }
				PathParameters map[string]string
			}
			if err := json.Unmarshal(payload, &event); err != nil {
				t.Fatal(err)
			}
			if event.RouteKey != row.key || event.RequestContext.RouteKey != row.key || event.PathParameters["proxy"] != row.proxy {
				t.Errorf("%s at %s: %+v", row.path, row.route, event)
			}
			return []byte(`{"statusCode":200}`), nil
		}).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", row.path, nil))
	}
}

func TestBase64ByContentType(t *testing.T) {
	for _, row := range []struct {
		contentType, body string
		encoded           bool
	}{
		{"application/json", "{}", false},
		{"application/json;charset=UTF-8", "{}", false},
		{"application/vnd.contentful.management.v1+json", "{}", false},
		{"text/plain", "a", false},
		{"application/xml", "<a/>", false},
		{"application/x-www-form-urlencoded", "a=b", false},
		{"application/json", "\xff", true},
		{"application/octet-stream", "a", true},
		{"image/png", "a", true},
		{"", "a", true},
		{"not a type", "a", true},
		{"image/png", "", false}, // no body, nothing to encode
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(row.body))
		r.Header.Set("Content-Type", row.contentType)
		call(t, r, func(_ context.Context, payload []byte) ([]byte, error) {
			var event struct{ IsBase64Encoded bool }
			if err := json.Unmarshal(payload, &event); err != nil || event.IsBase64Encoded != row.encoded {
				t.Errorf("%q %q: base64 %t, %v", row.contentType, row.body, event.IsBase64Encoded, err)
			}
			return []byte(`{"statusCode":200}`), nil
		})
	}
}

func TestAnswersOfTheGateway(t *testing.T) {
	say := func(answer string, err error) gateway.Invoke {
		return func(context.Context, []byte) ([]byte, error) { return []byte(answer), err }
	}
	for _, row := range []struct {
		name   string
		size   int // of the request's body
		invoke gateway.Invoke
		status int
		body   string
	}{
		{"as the function says", 0, say(`{"statusCode":418,"headers":{"x":"1"},"body":"té"}`, nil), 418, "té"},
		{"bytes", 0, say(`{"statusCode":200,"body":"/wA=","isBase64Encoded":true}`, nil), 200, "\xff\x00"},
		{"largest body", 10 << 20, say(`{"statusCode":200}`, nil), 200, ""},
		{"body too large", 10<<20 + 1, nil, 413, `{"message":"Request Too Long"}`},
		{"function fails", 0, say("", errors.New("internal text")), 500, `{"message":"Internal Server Error"}`},
		{"function crashes", 0, func(context.Context, []byte) ([]byte, error) { panic("internal text") }, 500, `{"message":"Internal Server Error"}`},
		{"no JSON", 0, say("hello", nil), 500, `{"message":"Internal Server Error"}`},
		{"no status", 0, say(`{}`, nil), 500, `{"message":"Internal Server Error"}`},
		{"no base64", 0, say(`{"statusCode":200,"body":"!","isBase64Encoded":true}`, nil), 500, `{"message":"Internal Server Error"}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			log := slog.Default()
			slog.SetDefault(slog.New(slog.DiscardHandler))
			defer slog.SetDefault(log)
			got := call(t, httptest.NewRequest("POST", "/", bytes.NewReader(make([]byte, row.size))), row.invoke)
			if got.Code != row.status || got.Body.String() != row.body {
				t.Errorf("got %d %q", got.Code, got.Body)
			}
		})
	}
}

func TestIntegrationTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		got := call(t, httptest.NewRequest("GET", "/", nil), func(ctx context.Context, _ []byte) ([]byte, error) {
			time.Sleep(40 * time.Second)
			return []byte(`{"statusCode":200}`), nil
		})
		if got.Code != 503 || got.Body.String() != `{"message":"Service Unavailable"}` || time.Since(start) != 30*time.Second {
			t.Errorf("got %d %s after %s", got.Code, got.Body, time.Since(start))
		}
		time.Sleep(20 * time.Second) // the function ends by itself
	})
}

func TestCallerWhoHangsUpStopsNothing(t *testing.T) {
	ctx, hangUp := context.WithCancel(t.Context())
	got := call(t, httptest.NewRequestWithContext(ctx, "GET", "/", nil), func(ctx context.Context, _ []byte) ([]byte, error) {
		hangUp()
		return []byte(`{"statusCode":200}`), ctx.Err()
	})
	if got.Code != 200 {
		t.Errorf("got %d", got.Code)
	}
}

// roundTrip sends bytes through HTTP, the event and back, and returns what the handler read.
func roundTrip(t *testing.T, url, contentType string, body []byte) []byte {
	t.Helper()
	var read []byte
	function := web.New(web.Config{Function: "test", MaxBody: 1 << 20, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Handler: serve(func(_ context.Context, r *web.Request) (web.Response, error) {
			read = r.Body
			return web.Response{Body: r.Body}, nil
		})})
	r := httptest.NewRequest("POST", url, bytes.NewReader(body))
	r.Header["Content-Type"] = []string{contentType}
	got := call(t, r, function.Invoke)
	if got.Code != 200 || !bytes.Equal(got.Body.Bytes(), body) {
		t.Fatalf("%d, body back: %q, sent: %q", got.Code, got.Body, body)
	}
	return read
}

// FuzzBodySurvives states the law that signatures stand on: what was sent is what is verified, byte for byte.
func FuzzBodySurvives(f *testing.F) {
	for _, contentType := range []string{"application/json", "application/octet-stream", "text/plain", "", "image/png; x"} {
		for _, body := range []string{"", "{}", "{\"a\":\"\\u00e9\\/\"}", "é\r\n\x00\u2028<&>", "\xff\xfe", "\ufeff{}", "\xed\xa0\x80", "YQ=="} {
			f.Add(contentType, []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		if read := roundTrip(t, "/actions/x", contentType, body); !bytes.Equal(read, body) {
			t.Errorf("sent %q, read %q", body, read)
		}
	})
}

func TestOverRealHTTP(t *testing.T) {
	function := web.New(web.Config{Function: "test", MaxBody: 1 << 20, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Handler: serve(func(_ context.Context, r *web.Request) (web.Response, error) {
			return web.Response{Body: append([]byte(r.Method+" "+r.Path+" "), r.Body...)}, nil
		})})
	server := httptest.NewServer(gateway.HTTP(function.Invoke))
	defer server.Close()
	response, err := http.Post(server.URL+"/a//b/../c", "application/json", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	if string(body) != "POST /a//b/../c x" || response.Header.Get("Apigw-Requestid") != response.Header.Get("X-Request-Id") {
		t.Errorf("got %q %v", body, response.Header)
	}
}
