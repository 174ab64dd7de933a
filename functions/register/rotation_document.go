package register

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pim-functions/pim-functions/shared/secrets"
)

// Record is how far the rotation of a place is: in the document that holds the place's secrets, under "rotations". A time
// that is zero is a step that is not done.
type Record struct {
	Secret     string    `json:"secret,omitempty"`     // fingerprint of the new secret
	Credential string    `json:"credential,omitempty"` // of the new credential
	Added      time.Time `json:"added"`
	Accepted   time.Time `json:"accepted,omitzero"` // every function accepts both
	Switched   time.Time `json:"switched,omitzero"` // the sender has the new one
	Removed    time.Time `json:"removed,omitzero"`  // the old ones are gone from the document
}

// rotations is the member of a document that holds the records, by place.
const rotations = "rotations"

// view is what a document says of a place.
type view struct {
	id     string // of the document
	keys   Keys   // the newest last
	record *Record
}

// documentOf is the ID of the document that holds a place's secrets.
func (d Documents) documentOf(place Place) (string, error) {
	if place.Kind != OfLinks {
		return d.Signing, nil
	}
	if d.Links == "" {
		return "", errors.New("links: the document of links is not known: name it by --link-id, the deployment's output LinkSecretId")
	}
	return d.Links, nil
}

// view reads a place.
func (r *Rotator) view(ctx context.Context, place Place) (view, error) {
	id, err := r.Documents.documentOf(place)
	if err != nil {
		return view{}, err
	}
	text, err := r.Documents.Store.Get(ctx, id)
	if errors.Is(err, secrets.ErrNotFound) {
		return view{}, fmt.Errorf("%s: there is no document %q: run make secrets", place.Name, id)
	}
	if err != nil {
		return view{}, err
	}
	seen := view{id: id}
	d, err := parse(text)
	if err == nil {
		seen.record, err = d.record(place)
	}
	if err == nil {
		seen.keys, err = keysOf(place, text, seen.record)
	}
	return seen, err
}

// keysOf are the keys of a place in a document.
func keysOf(place Place, text []byte, record *Record) (Keys, error) {
	if place.Kind != OfLinks {
		signing, _, err := secrets.ParseSigning(text)
		return place.Keys(signing), err
	}
	links, _, err := secrets.ParseLinks(text)
	if n := len(links.Previous); n > 0 && record != nil && record.Switched.IsZero() { // the new one proves already, and does not sign yet
		return Keys{Secrets: append(slices.Clone(links.Previous[:n-1]), links.Current, links.Previous[n-1])}, err
	}
	return Keys{Secrets: append(slices.Clone(links.Previous), links.Current)}, err
}

// intact says that the new secrets are still there, and the newest.
func (v view) intact() bool {
	newest := v.keys.Newest()
	return (v.record.Secret == "" || len(newest.Secrets) == 1 && secrets.Fingerprint(newest.Secrets[0]) == v.record.Secret) &&
		(v.record.Credential == "" || len(newest.Credentials) == 1 && newest.Credentials[0].Fingerprint() == v.record.Credential)
}

// update changes a place's document and its record in one step. change may be called again with what somebody else wrote.
func (r *Rotator) update(ctx context.Context, place Place, change func(*document, *Record) (*Record, error)) error {
	id, err := r.Documents.documentOf(place)
	if err != nil {
		return err
	}
	r.writing.Lock()
	defer r.writing.Unlock()
	return secrets.Update(ctx, r.Documents.Store, id, func(text []byte) ([]byte, error) {
		d, err := parse(text)
		if err != nil {
			return nil, err
		}
		record, err := d.record(place)
		if err != nil {
			return nil, err
		}
		if record, err = change(d, record); err != nil {
			return nil, err
		}
		d.note(place, record)
		next, err := d.done()
		if err != nil || same(next.Document, text) {
			return nil, err
		}
		return next.Document, nil
	})
}

func same(a, b []byte) bool {
	var one, two bytes.Buffer
	return json.Compact(&one, a) == nil && json.Compact(&two, b) == nil && bytes.Equal(one.Bytes(), two.Bytes())
}

// record of a place; nil: no rotation is under way.
func (d *document) record(place Place) (*Record, error) {
	var all map[string]*Record
	if text := d.root[rotations]; len(text) > 0 && json.Unmarshal(text, &all) != nil {
		return nil, fmt.Errorf("%q of the document holds no records of rotations: take it out by hand", rotations)
	}
	return all[place.Name], nil
}

// note writes the record of a place, or takes it out.
func (d *document) note(place Place, record *Record) {
	all := map[string]json.RawMessage{}
	if text := d.root[rotations]; len(text) > 0 && json.Unmarshal(text, &all) != nil {
		return // record has refused it
	}
	if record != nil {
		d.set(record, rotations, place.Name)
		return
	}
	delete(all, place.Name)
	if len(all) == 0 {
		delete(d.root, rotations)
		return
	}
	d.set(all, rotations)
}

// lists are the paths of a place's lists: secrets, credentials; nil: it has none.
func (p Place) lists() (ofSecrets, ofCredentials []string) {
	switch p.Kind {
	case OfEvents:
		return []string{"event-platform", p.PIM}, nil
	case OfNotifications:
		return []string{"event-platform", p.PIM + "/notifications"}, nil
	case OfContentful:
		return []string{"contentful"}, nil
	case OfData:
		return nil, []string{"extensions", p.Target, "credential"}
	}
	return []string{"extensions", p.Target, "secrets"}, []string{"extensions", p.Target, "credential"}
}

// list is what stands at a path, as a list; one value alone is a list of one.
func (d *document) list(path []string) []json.RawMessage {
	if path == nil || !d.has(path...) {
		return nil
	}
	fields, last := d.root, len(path)-1
	for _, name := range path[:last] {
		var inner map[string]json.RawMessage
		_ = json.Unmarshal(fields[name], &inner) // has has read it
		fields = inner
	}
	var list []json.RawMessage
	if json.Unmarshal(fields[path[last]], &list) != nil {
		list = []json.RawMessage{fields[path[last]]}
	}
	return list
}

// addKeys adds a new secret to each list of a place, and begins its record.
func (d *document) addKeys(place Place, now time.Time) (*Record, error) {
	text, err := encode(d.root)
	if err != nil {
		return nil, err
	}
	keys, err := keysOf(place, text, nil)
	switch {
	case err != nil:
		return nil, err
	case keys.Empty():
		return nil, fmt.Errorf("%s has no secret to replace: run make secrets", place.Name)
	}
	record := &Record{Added: now.UTC()}
	if place.Kind == OfLinks {
		fresh := freshSecret(keys)
		record.Secret = secrets.Fingerprint(fresh)
		d.set(append(keys.Secrets[:len(keys.Secrets)-1:len(keys.Secrets)-1], fresh), "previous")
		return record, nil
	}
	ofSecrets, ofCredentials := place.lists()
	if list := d.list(ofSecrets); len(list) > 0 && len(keys.Secrets) > 0 {
		fresh := freshSecret(keys)
		record.Secret = secrets.Fingerprint(fresh)
		d.set(append(list, quoted(fresh)), ofSecrets...)
	}
	if list := d.list(ofCredentials); len(list) > 0 && len(keys.Credentials) > 0 {
		fresh := changed(keys.Newest().Credentials[0], freshSecret(keys))
		record.Credential = fresh.Fingerprint()
		one, err := json.Marshal(fresh)
		if err != nil {
			return nil, err
		}
		d.set(append(list, one), ofCredentials...)
	}
	return record, d.err
}

// freshSecret is a new secret that has a fingerprint of its own among the keys.
func freshSecret(keys Keys) string {
	for {
		fresh := random()
		taken := slices.ContainsFunc(keys.Secrets, func(other string) bool { return secrets.Fingerprint(other) == secrets.Fingerprint(fresh) }) ||
			slices.ContainsFunc(keys.Credentials, func(other secrets.Credential) bool { return other.Fingerprint() == secrets.Fingerprint(fresh) })
		if !taken {
			return fresh
		}
	}
}

func quoted(text string) json.RawMessage {
	encoded, _ := json.Marshal(text) // a text of letters and digits
	return encoded
}

// switchLinks makes the new secret of links the one that signs.
func (d *document) switchLinks(record *Record, now time.Time) (*Record, error) {
	text, err := encode(d.root)
	if err != nil {
		return nil, err
	}
	keys, err := keysOf(Place{Kind: OfLinks}, text, record)
	if err != nil {
		return nil, err
	}
	if v := (view{keys: keys, record: record}); !v.intact() {
		return record, nil // the next look says so
	}
	d.set(keys.Newest().Secrets[0], "current")
	d.set(keys.Former().Secrets, "previous")
	record.Switched = now.UTC()
	return record, d.err
}

// removeFormer takes all but the newest secret out of each list of a place.
func (d *document) removeFormer(place Place, record *Record, now time.Time) (*Record, error) {
	record.Removed = now.UTC()
	if place.Kind == OfLinks {
		delete(d.root, "previous")
		return record, nil
	}
	for _, path := range both(place.lists()) {
		if list := d.list(path); len(list) > 1 {
			d.set(list[len(list)-1:], path...)
		}
	}
	return record, d.err
}

func both(a, b []string) [][]string { return [][]string{a, b} }
