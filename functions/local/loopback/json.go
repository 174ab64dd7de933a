package loopback

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// maxBody is the largest JSON body in bytes; a larger one is refused.
const maxBody = 64 << 10

// Decode reads a JSON body strictly; no body is an empty one. It answers a body that it cannot read, and is false.
func Decode(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		Refuse(w, http.StatusBadRequest, "invalid", err.Error())
		return false
	}
	return true
}

// Respond answers with a value as JSON.
func Respond(w http.ResponseWriter, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		Refuse(w, http.StatusInternalServerError, "internal", err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(text)
}

// Refuse answers in the form of the functions' refusals. The message is for this machine's user.
func Refuse(w http.ResponseWriter, status int, code, message string) {
	text, err := json.Marshal(struct {
		Success bool   `json:"success"`
		Message string `json:"message"`
		Error   string `json:"error"`
	}{false, message, code})
	if err != nil {
		panic(err) // cannot happen: a bool and two strings
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(text)
}
