package register

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/pim-functions/pim-functions/shared/gate"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// Uses tells what the functions of a deployment count of their secrets while a list has several of them.
type Uses interface {
	// Last returns when a secret last proved a call of its sender since a time, by its list and fingerprint; zero: never.
	Last(ctx context.Context, list, fingerprint string, since time.Time) (time.Time, error)
	// Failures returns how often a function could not read a document since a time.
	Failures(ctx context.Context, document string, since time.Time) (int, error)
}

// uses are the lists and fingerprints under which the functions count the keys of a place.
func (p Place) uses(keys Keys) (all []gate.Use) {
	for _, secret := range keys.Secrets {
		all = append(all, gate.Use{List: p.Name, Fingerprint: secrets.Fingerprint(secret)})
	}
	for _, credential := range keys.Credentials {
		all = append(all, gate.Use{List: gate.CredentialList(p.Name), Fingerprint: credential.Fingerprint()})
	}
	return all
}

// Inspector is the Uses of a local system, which its inspector tells.
type Inspector struct {
	Base   *url.URL
	Client *http.Client
}

var _ Uses = Inspector{}

// Last implements Uses.
func (i Inspector) Last(ctx context.Context, list, fingerprint string, since time.Time) (time.Time, error) {
	told, err := i.ask(ctx)
	for _, use := range told.Used {
		if use.List == list && use.Fingerprint == fingerprint && !use.Last.Before(since) {
			return use.Last, err
		}
	}
	return time.Time{}, err
}

// Failures implements Uses.
func (i Inspector) Failures(ctx context.Context, document string, since time.Time) (int, error) {
	told, err := i.ask(ctx)
	for _, failed := range told.NotRead {
		if failed.Document == document && !failed.Last.Before(since) {
			return failed.Count, err
		}
	}
	return 0, err
}

type told struct {
	Used []struct {
		List, Fingerprint string
		Last              time.Time
	}
	NotRead []struct {
		Document string
		Count    int
		Last     time.Time
	}
}

func (i Inspector) ask(ctx context.Context) (told, error) {
	var answer told
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, i.Base.JoinPath("/_local/secrets").String(), nil)
	if err != nil {
		return answer, err
	}
	response, err := i.Client.Do(request)
	if err != nil {
		return answer, fmt.Errorf("ask the inspector: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return answer, fmt.Errorf("ask the inspector: it answers %d", response.StatusCode)
	}
	return answer, json.NewDecoder(response.Body).Decode(&answer)
}
