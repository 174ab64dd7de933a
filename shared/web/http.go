package web

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

// Limits of API Gateway's HTTP APIs (developer guide, "Quotas for configuring and running an HTTP API").
const (
	gatewayMaxBody = 10 << 20
	gatewayTimeout = 30 * time.Second
)

// HTTP is API Gateway on this machine: it makes every HTTP request the event that an HTTP API would make of it
// (payload 2.0, stage $default) and calls invoke, as Lambda is called. Mount it without http.ServeMux, which
// redirects what it finds unclean; API Gateway never redirects.
func HTTP(invoke func(ctx context.Context, payload []byte) ([]byte, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()[:16]
		w.Header().Set("Apigw-Requestid", id)
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, gatewayMaxBody))
		if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
			gatewayError(w, http.StatusRequestEntityTooLarge, "Request Too Long")
			return
		}
		if err != nil {
			gatewayError(w, http.StatusBadRequest, "Bad Request")
			return
		}
		payload, err := json.Marshal(newGatewayEvent(r, body, id, time.Now()))
		if err != nil {
			gatewayError(w, http.StatusInternalServerError, "Internal Server Error")
			return
		}
		answer, err := call(r.Context(), invoke, payload)
		if errors.Is(err, errGatewayTimeout) {
			gatewayError(w, http.StatusServiceUnavailable, "Service Unavailable")
			return
		}
		var answered reply
		if err != nil || json.Unmarshal(answer, &answered) != nil || !writeReply(w, answered) {
			gatewayError(w, http.StatusInternalServerError, "Internal Server Error")
		}
	})
}

var errGatewayTimeout = errors.New("integration timeout")

// call gives the function 30 s. As on Lambda, it goes on when the caller has hung up, and one that crashes takes
// nothing else with it.
func call(ctx context.Context, invoke func(context.Context, []byte) ([]byte, error), payload []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), gatewayTimeout)
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
		return nil, errGatewayTimeout
	}
}

// writeReply writes what the function answered, or says that it is no answer.
func writeReply(w http.ResponseWriter, answered reply) bool {
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

// gatewayError answers as API Gateway itself does.
func gatewayError(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, `{"message":"`+message+`"}`)
}
