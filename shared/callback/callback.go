// Package callback is the form of what others send to the address that ends a wait: how it went, which items failed, and
// what is to change in the PIM. Its function reads it before it is recorded, and the worker once more.
//
// It knows neither the job nor the PIM: whether an item belongs to the job, and what may change, is the worker's question.
// What a destination answers to a call at once is read elsewhere, and less strictly: that may be another API's own.
package callback

import (
	"encoding/json"
	"strconv"

	"github.com/pim-functions/pim-functions/shared/body"
)

// Body is one callback. All of it is optional.
type Body struct {
	Failed   bool   // status is failed: of the items that Failures does not name, all
	Message  string // for the user
	Failures []Failure
	Updates  []json.RawMessage // {uuid or code, values, categories, groups, enabled}: of a checked form
	Result   json.RawMessage   // an object
}

// Failure is one item that was not done, by its place among the items of the request, or by its ID.
type Failure struct {
	Index  *int
	ID     string
	Reason string
}

// Parse reads a callback: a JSON object of the fields status ("succeeded", which is the default, or "failed"), message,
// failures ([{index or id, reason}]), updates and result, and no other. null is as good as nothing. Its error is a *web.Error
// of package body.
func Parse(data []byte) (Body, error) {
	var b Body
	err := body.Object(data, func(r *body.Reader, name string) error {
		switch name {
		case "status":
			return b.status(r)
		case "message":
			return text(r, "message", &b.Message)
		case "failures":
			return list(r, "failures", func() error { return b.failure(r) })
		case "updates":
			return list(r, "updates", func() error { return b.update(r) })
		case "result":
			return object(r, "result", &b.Result)
		}
		return unknown("The body")
	})
	if err != nil {
		return Body{}, err
	}
	return b, nil
}

func (b *Body) status(r *body.Reader) error {
	var status string
	if err := text(r, "status", &status); err != nil {
		return err
	}
	if status != "" && status != "succeeded" && status != "failed" {
		return shape(`status must be "succeeded" or "failed".`)
	}
	b.Failed = status == "failed"
	return nil
}

func (b *Body) failure(r *body.Reader) error {
	var f Failure
	err := r.Object("A failure", func(name string) error {
		switch name {
		case "index":
			return f.index(r)
		case "id":
			return text(r, "id", &f.ID)
		case "reason":
			return text(r, "reason", &f.Reason)
		}
		return unknown("A failure")
	})
	if err != nil {
		return err
	}
	if (f.Index == nil) == (f.ID == "") {
		return shape("A failure must have one of index and id.")
	}
	b.Failures = append(b.Failures, f)
	return nil
}

func (f *Failure) index(r *body.Reader) error {
	if r.Null() {
		return nil
	}
	value, err := r.Raw()
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(string(value))
	if err != nil || n < 0 {
		return shape("index must be a number from 0 on.")
	}
	f.Index = &n
	return nil
}

// update checks the form of one update, and keeps its bytes.
func (b *Body) update(r *body.Reader) error {
	if !r.Is('{') {
		return shape("An update must be an object.")
	}
	value, err := r.Raw()
	if err != nil {
		return err
	}
	names := 0
	err = body.Object(value, func(r *body.Reader, name string) error {
		switch name {
		case "uuid", "code":
			names++
			var id string
			if err := text(r, name, &id); err != nil {
				return err
			}
			if id == "" {
				return shape(name + " must not be empty.")
			}
			return nil
		case "values":
			return r.Object("values", func(string) error {
				return r.List("A value", func() error {
					return r.Object("An entry of a value", func(string) error { _, err := r.Raw(); return err })
				})
			})
		case "categories", "groups":
			return r.List(name, func() error {
				if !r.Is('"') {
					return shape(name + " must be a list of codes.")
				}
				_, err := r.Raw()
				return err
			})
		case "enabled":
			value, err := r.Raw()
			if err == nil && string(value) != "true" && string(value) != "false" {
				return shape("enabled must be true or false.")
			}
			return err
		}
		return unknown("An update")
	})
	if err != nil {
		return err
	}
	if names != 1 {
		return shape("An update must have one of uuid and code.")
	}
	b.Updates = append(b.Updates, value)
	return nil
}

func text(r *body.Reader, name string, into *string) (err error) {
	*into, err = r.Text(name)
	return err
}

func list(r *body.Reader, name string, element func() error) error {
	if r.Null() {
		return nil
	}
	return r.List(name, element)
}

func object(r *body.Reader, name string, into *json.RawMessage) (err error) {
	if r.Null() {
		return nil
	}
	if !r.Is('{') {
		return shape(name + " must be an object.")
	}
	*into, err = r.Raw()
	return err
}

func shape(message string) error { return body.Malformed("body_shape", message) }

func unknown(where string) error {
	return body.Malformed("body_unknown", where+" has a field that is not known here.")
}
