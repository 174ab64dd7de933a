// Package gateway is API Gateway on this machine: HTTP in, the event of an HTTP API out (payload format 2.0, stage
// $default), and the function's answer back as HTTP. It routes nothing and verifies nothing.
package gateway

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// Limits of an HTTP API (developer guide, "Quotas for configuring and running an HTTP API").
const (
	maxBody = 10 << 20 // bytes; more is answered 413
	timeout = 30 * time.Second
)

// Invoke calls a function as Lambda does: an event in, an answer out.
type Invoke func(ctx context.Context, payload []byte) ([]byte, error)

// HTTP makes an event of every request, as the $default route does, calls invoke with it, and writes the answer. Mount it
// without http.ServeMux, which redirects unclean paths: API Gateway never redirects.
func HTTP(invoke Invoke) http.Handler { return Route("", invoke) }

// Route is HTTP for a route such as /actions/{proxy+}, whose events carry what {proxy+} matches. Requests to other paths
// have the $default route's events.
func Route(path string, invoke Invoke) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()[:16]
		w.Header().Set("Apigw-Requestid", id)
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
			refuse(w, http.StatusRequestEntityTooLarge, "Request Too Long")
			return
		}
		if err != nil {
			refuse(w, http.StatusBadRequest, "Bad Request")
			return
		}
		payload, err := json.Marshal(newEvent(r, path, body, id, time.Now()))
		if err != nil {
			refuse(w, http.StatusInternalServerError, "Internal Server Error")
			return
		}
		text, err := call(r.Context(), invoke, payload)
		if errors.Is(err, errTimeout) {
			refuse(w, http.StatusServiceUnavailable, "Service Unavailable")
			return
		}
		var answered response
		if err != nil || json.Unmarshal(text, &answered) != nil || !write(w, answered) {
			refuse(w, http.StatusInternalServerError, "Internal Server Error")
		}
	})
}

var errTimeout = errors.New("integration timeout")

// call gives the function 30 s. As on Lambda, it goes on when the caller has hung up, and one that crashes takes
// nothing else with it.
func call(ctx context.Context, invoke Invoke, payload []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	type result struct {
		answer []byte
		err    error
	}
	done := make(chan result, 1)
	go func() {
		defer func() {
			if cause := recover(); cause != nil {
				slog.Error("function crashed", "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
				done <- result{err: errors.New("function crashed")}
			}
		}()
		answer, err := invoke(ctx, payload)
		done <- result{answer, err}
	}()
	select {
	case r := <-done:
		return r.answer, r.err
	case <-ctx.Done():
		return nil, errTimeout
	}
}

// response is what API Gateway takes as a function's answer (payload format 2.0).
type response struct {
	StatusCode int               `json:"statusCode"`
	Headers    map[string]string `json:"headers"`
	Cookies    []string          `json:"cookies"`
	Body       string            `json:"body"`
	Base64     bool              `json:"isBase64Encoded"`
}

// write writes a function's answer, and reports whether it is one.
func write(w http.ResponseWriter, answered response) bool {
	body := []byte(answered.Body)
	if answered.Base64 {
		decoded, err := base64.StdEncoding.DecodeString(answered.Body)
		if err != nil {
			return false
		}
		body = decoded
	}
	if answered.StatusCode < 200 || answered.StatusCode > 599 {
		return false
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for name, value := range answered.Headers {
		w.Header().Set(name, value)
	}
	for _, cookie := range answered.Cookies {
		w.Header().Add("Set-Cookie", cookie)
	}
	w.WriteHeader(answered.StatusCode)
	w.Write(body) // an error means that the caller is gone
	return true
}

// refuse answers as API Gateway itself does.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, `{"message":"`+message+`"}`)
}
