package signature_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// A plain handler needs nothing but the request: its URI as it came, its headers by lower-case names, its bytes.
func ExampleVerifyContentful() {
	now := time.UnixMilli(1767225600000)
	secrets := []string{strings.Repeat("old-", 16), strings.Repeat("new-", 16)} // both, while one replaces the other
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		header := map[string]string{}
		for name, values := range r.Header {
			header[strings.ToLower(name)] = strings.Join(values, ",")
		}
		call, err := signature.VerifyContentful(secrets, signature.ContentfulRequest{
			Method: r.Method, Paths: []string{r.RequestURI}, Header: header, Body: body,
		}, now)
		if err != nil {
			http.Error(w, "no", http.StatusForbidden) // and err into the log
			return
		}
		fmt.Fprintf(w, "%s calls from %s, proven by secret %d", call.User, call.Space, call.Secret())
	})

	// What Contentful does: it names the headers that it signs, and signs them with method, path and body.
	const body = `{"message":"Hello from Bob!"}`
	header := map[string]string{
		"content-type":           "application/vnd.contentful.management.v1+json",
		"x-contentful-space-id":  "yadj1kx9rmg0",
		"x-contentful-user-id":   "0M5q1fYAwHhbCJXW5gsJFe",
		"x-contentful-timestamp": strconv.FormatInt(now.UnixMilli(), 10),
	}
	names := append(slices.Collect(maps.Keys(header)), "x-contentful-signed-headers")
	slices.Sort(names)
	header["x-contentful-signed-headers"] = strings.Join(names, ",")
	header["x-contentful-signature"] = signature.SignContentful(secrets[1], "POST", "/hello?from=bob", header, []byte(body))

	send := func(body string) {
		r := httptest.NewRequest("POST", "/hello?from=bob", strings.NewReader(body))
		for name, value := range header {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code, strings.TrimSpace(w.Body.String()))
	}
	send(body)
	send(strings.Replace(body, "Bob", "Eve", 1))
	// Output:
	// 200 0M5q1fYAwHhbCJXW5gsJFe calls from yadj1kx9rmg0, proven by secret 1
	// 403 no
}
