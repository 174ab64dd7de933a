package web

import (
	"encoding/json"
	"net/http"
)

// refusal is how a Code looks from outside.
type refusal struct {
	status  int
	message string // when the Error brings none
	fixed   bool   // whatever the Error brings
}

// refusals is the one table from kind of refusal to answer.
var refusals = map[Code]refusal{
	Invalid:     {http.StatusBadRequest, "The request is malformed.", false},
	Unproven:    {http.StatusUnauthorized, "The request could not be verified.", true},
	Forbidden:   {http.StatusForbidden, "This is not allowed.", false},
	NotFound:    {http.StatusNotFound, "There is nothing at this address.", false},
	Method:      {http.StatusMethodNotAllowed, "This method is not allowed here.", false},
	Gone:        {http.StatusGone, "What was at this address is no longer there.", false},
	TooLarge:    {http.StatusRequestEntityTooLarge, "The request is too large.", false},
	Conflict:    {http.StatusConflict, "The request does not fit what is there.", false},
	Refused:     {http.StatusUnprocessableEntity, "The request could not be carried out.", false},
	Internal:    {http.StatusInternalServerError, "Something went wrong on our side.", true},
	Unavailable: {http.StatusServiceUnavailable, "This is not available at the moment. Please try again.", false},
}

// response is the answer to the caller: nothing of Reason or Err.
func (e *Error) response() Response {
	code := e.Code
	entry, known := refusals[code]
	if !known {
		code, entry = Internal, refusals[Internal]
	}
	message := entry.message
	if e.Message != "" && !entry.fixed {
		message = e.Message
	}
	body, err := json.Marshal(struct {
		Success bool   `json:"success"`
		Message string `json:"message"`
		Error   Code   `json:"error"`
	}{false, message, code})
	if err != nil {
		panic(err) // cannot happen: a bool and two strings
	}
	return Response{Status: entry.status, Header: e.Header, Body: body}
}
