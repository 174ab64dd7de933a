// Package secrets is where secrets come from: a Source holds four JSON documents: what proves who calls us (Signing);
// what lets us act elsewhere (Connections), so that a function which only verifies can never act in the PIM; what signs
// the links that we hand out (Links); and what data components look up with (Lookups). Production reads AWS Secrets Manager, the local system a file.
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

// ErrChanged: the document is no longer the version that the writer read. Nothing was written.
var ErrChanged = errors.New("somebody changed the secret meanwhile")

// Source gives secret documents. Safe for concurrent use.
type Source interface {
	// Get returns the current version of the document. ErrNotFound if there is none; any other error may pass.
	Get(ctx context.Context, id string) ([]byte, error)
}

// Documents is a Source that can be written too: for the command line. Functions hold a Source alone.
type Documents interface {
	Source
	// Read returns the current version of the document. Where there is none it is the zero Document, without an error.
	Read(ctx context.Context, id string) (Document, error)
	// Replace makes text the current version of the document if its current version is still the one named: "" for a
	// document that does not exist, which it creates. Else it returns ErrChanged and writes nothing. After any other error
	// the text may be written or not; the same call, repeated, ends as the first would have.
	Replace(ctx context.Context, id, version string, text []byte) error
}

// Document is one version of a secret document.
type Document struct {
	Text    []byte
	Version string // names these bytes; "": there is no document
}

// Update changes a document: change gets its text (nil if there is no document) and returns the next one, or nil to leave
// it as it is. If somebody writes meanwhile, change is called again with what they wrote; ErrChanged after five times.
func Update(ctx context.Context, documents Documents, id string, change func(text []byte) ([]byte, error)) error {
	const tries = 5
	var err error
	for range tries {
		var now Document
		if now, err = documents.Read(ctx, id); err != nil {
			return err
		}
		var next []byte
		if next, err = change(now.Text); err != nil || next == nil {
			return err
		}
		if err = documents.Replace(ctx, id, now.Version, next); !errors.Is(err, ErrChanged) {
			return err
		}
	}
	return err
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
	SFTP       map[string]json.RawMessage `json:"sftp,omitempty"`
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
