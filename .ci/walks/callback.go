package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/ci/stack"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// callback has a product translated: the job waits, the translation comes to the address that was sent, in a body that is
// too long for a record, and is in the PIM. The same bytes once more change nothing; others, and another address, are not
// taken.
func callback(ctx context.Context, v *visit) (string, error) {
	shown := v.pim.Shown().Products
	product := shown[slices.IndexFunc(shown, func(p pimtest.ShownProduct) bool { return p.Parent == "" })].UUID
	id, err := v.Order(ctx, "run", "translate", "--product", product)
	if err != nil {
		return "", err
	}
	var sent struct{ Callback struct{ URL string } }
	err = stack.Until(ctx, patience, "the translator was asked, and the job waits", func() (bool, error) {
		for _, call := range v.destination.Applied("/translator") {
			if strings.HasPrefix(call.Key(), id+"/") {
				if err := json.Unmarshal(call.Body, &sent); err != nil {
					return false, err
				}
			}
		}
		job, err := v.Records().Get(ctx, id)
		return sent.Callback.URL != "" && job.AtRest(), err
	})
	if err != nil {
		return "", err
	}
	path, ours := strings.CutPrefix(sent.Callback.URL, v.Outputs["ApiUrl"])
	if !ours {
		return "", fmt.Errorf("the callback's address is not the API's: %.60s", sent.Callback.URL)
	}
	body := fmt.Sprintf(`{"updates":[{"uuid":%q,"values":{"name":[{"locale":"fr_FR","scope":null,"data":"Traduit"}]}}],"message":%q}`, product, strings.Repeat("é", jobs.MaxSignalBody))
	if err := post(ctx, v.URL+path, body, http.StatusOK); err != nil {
		return "", err
	}
	if _, err := v.succeeded(ctx, id); err != nil {
		return "", err
	}
	shown = v.pim.Shown().Products
	now := shown[slices.IndexFunc(shown, func(p pimtest.ShownProduct) bool { return p.UUID == product })].Values["name"]
	if !slices.ContainsFunc(now, func(value pimtest.ShownValue) bool { return value.Locale == "fr_FR" && value.Data == "Traduit" }) {
		return "", fmt.Errorf("the product's name is %v", now)
	}
	for _, row := range []struct {
		name, at, body string
		want           int
	}{
		{"the same bytes", path, body, http.StatusOK},
		{"other bytes", path, `{}`, http.StatusConflict},
		{"no JSON", path, `hello`, http.StatusUnprocessableEntity},
		{"another wait", strings.Replace(path, "/0-0?", "/1-1?", 1), body, http.StatusUnauthorized},
	} {
		if err := post(ctx, v.URL+row.at, row.body, row.want); err != nil {
			return "", fmt.Errorf("%s: %w", row.name, err)
		}
	}
	return fmt.Sprintf("a translation of %d KB, called back, is in the PIM; the same bytes 200, others 409, no JSON 422, another address 401", len(body)>>10), nil
}

// post sends JSON to an address, and fails unless it is answered with that status.
func post(ctx context.Context, address, body string, want int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, text, err := stack.Do(request)
	if err != nil {
		return err
	}
	if answer.StatusCode != want {
		return fmt.Errorf("POST %s: answered %d %s, want %d", request.URL.Path, answer.StatusCode, text, want)
	}
	return nil
}
