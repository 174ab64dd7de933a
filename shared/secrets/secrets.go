// Package secrets is where secrets come from: a Source holds three JSON documents: what proves who calls us
// (Signing), what lets us act elsewhere (Connections), so that a function which only verifies can never act in the PIM,
// and what signs the links that we hand out (Links). Production reads AWS Secrets Manager, the local system a file.
//
// Values are never logged, never part of an error, and never compared here: that is what package signature does.
package secrets

import (
	"context"
	"encoding/json"
	"errors"
)

// ErrNotFound: the source has no document of that ID.
var ErrNotFound = errors.New("no such secret")

// Source gives secret documents. Safe for concurrent use.
type Source interface {
	// Get returns the current version of the document. ErrNotFound if there is none; any other error may pass.
	Get(ctx context.Context, id string) ([]byte, error)
}

// Documents is a Source that can be written too: for the command line. Functions hold a Source alone.
type Documents interface {
	Source
	// Put makes text the current version of the document, which it creates if there is none.
	Put(ctx context.Context, id string, text []byte) error
}

// Signing is the document SIGNING_SECRET_ID, read by the HTTP functions. Every list holds all that is valid now:
// during a rotation the old value and the new one.
type Signing struct {
	Extensions    map[string]Extension `json:"extensions"`
	EventsAPI     map[string][]string  `json:"events-api"`     // by PIM
	EventPlatform map[string][]string  `json:"event-platform"` // by PIM, and PIM + "/notifications"
	Contentful    []string             `json:"contentful"`
}

// Extension is what proves a call of one extension.
type Extension struct {
	Secrets     []string     `json:"secrets"`
	Credentials []Credential `json:"credential,omitempty"` // one or a list; the newest last
}

// Credential is a header that the PIM adds. Type is basic, bearer or header.
type Credential struct {
	Type     string `json:"type"`
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	Token    string `json:"token,omitempty"`
	Name     string `json:"name,omitempty"`
	Value    string `json:"value,omitempty"`
}

// Connections is the document CONNECTION_SECRET_ID, read by worker and register.
type Connections struct {
	PIMs       map[string]PIM             `json:"pims"`
	Auth       map[string]json.RawMessage `json:"auth"`
	Values     map[string]string          `json:"values"`
	Contentful json.RawMessage            `json:"contentful,omitempty"`
}

// PIM is a connection's credentials for the PIM's REST API.
type PIM struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Username     string `json:"username"`
	Password     string `json:"password"`
	Token        string `json:"token,omitempty"` // of a custom app, beside its client_id; the rest is empty then
}
