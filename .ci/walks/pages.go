package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/ci/stack"
	"github.com/pim-functions/pim-functions/shared/senders"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// ask sends a request, and reads the answer.
func (v *visit) ask(ctx context.Context, request senders.Request, status int, into any) error {
	text, err := stack.Expect(ctx, v.URL, request, status)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// iframe opens the page, learns whom its token names, and starts a job, which nobody else sees.
func iframe(ctx context.Context, v *visit) (string, error) {
	page := senders.Iframe{Extension: "jobs_panel", Secret: v.Signing.Extensions["jobs_panel"].Secrets[0], User: senders.NewUUID(), At: time.Now()}
	text, err := stack.Expect(ctx, v.URL, page.Page(url.Values{"position": {"pim.product.tab"}}), 200)
	if err != nil {
		return "", err
	}
	if !strings.Contains(string(text), "<!doctype html>") {
		return "", fmt.Errorf("the page is %s", text)
	}
	var verified struct{ UserUUID string }
	if err := v.ask(ctx, page.Request(http.MethodPost, "/verify", nil), 200, &verified); err != nil {
		return "", err
	}
	if verified.UserUUID != page.User {
		return "", fmt.Errorf("the token's user is %q, want %q", verified.UserUUID, page.User)
	}
	job, err := v.start(ctx, page)
	if err != nil {
		return "", err
	}
	if _, err := v.succeeded(ctx, job); err != nil {
		return "", err
	}
	type listed struct{ ID, State string }
	err = stack.Until(ctx, patience, "the list shows the job's end", func() (bool, error) {
		var list struct{ Jobs []listed }
		err := v.ask(ctx, page.Request(http.MethodGet, "/jobs", nil), 200, &list)
		return slices.Contains(list.Jobs, listed{job, "succeeded"}), err
	})
	if err != nil {
		return "", err
	}
	other, forged := page, page
	other.User, forged.Secret = senders.NewUUID(), strings.Repeat("x", 64)
	if _, err := stack.Expect(ctx, v.URL, other.Request(http.MethodGet, "/jobs/"+job, nil), 404); err != nil {
		return "", err
	}
	if _, err := stack.Expect(ctx, v.URL, forged.Request(http.MethodPost, "/verify", nil), 401); err != nil {
		return "", err
	}
	return "the page, its user, a start sent twice that is one job, another user's 404, a forged token 401", nil
}

// start starts a job from the page, twice, since the answer to the first request may have been lost: that is one job.
func (v *visit) start(ctx context.Context, page senders.Iframe) (job string, err error) {
	wish, err := json.Marshal(map[string]any{
		"request": senders.NewUUID(), "action": "send-to-erp", "language": "en_US", "context": map[string]string{"locale": "en_US", "channel": "ecommerce"},
		"data": map[string][]string{"productUuids": {senders.NewUUID()}, "productModelCodes": {}, "categoryCodes": {}},
	})
	if err != nil {
		return "", err
	}
	var first, second struct{ Job struct{ ID string } }
	request := page.Request(http.MethodPost, "/jobs", wish)
	if err := v.ask(ctx, request, 200, &first); err != nil {
		return "", err
	}
	if err := v.ask(ctx, request, 200, &second); err != nil {
		return "", err
	}
	if first != second || first.Job.ID == "" {
		return "", fmt.Errorf("a start sent twice is %+v and %+v", first, second)
	}
	return first.Job.ID, nil
}

// data shows what became of a product's event, to whoever has the credential.
func data(ctx context.Context, v *visit) (string, error) {
	event := change()
	if err := v.deliver(ctx, event); err != nil {
		return "", err
	}
	token := v.Signing.Extensions["product_history"].Credentials[0].Token
	component := senders.Data{Extension: "product_history", Credential: &signature.Credential{Type: signature.BearerCredential, Token: token}}
	err := stack.Until(ctx, patience, "the data component knows the event", func() (bool, error) {
		var known struct{ Events []struct{ Outcome string } }
		err := v.ask(ctx, component.Request(event.Product), 200, &known)
		return len(known.Events) == 1 && known.Events[0].Outcome == "applied", err
	})
	if err != nil {
		return "", err
	}
	component.Credential = nil
	if _, err := stack.Expect(ctx, v.URL, component.Request(event.Product), 401); err != nil {
		return "", err
	}
	return "the event of a product is shown, to the credential alone", nil
}

// contentful calls an App Action, which is a job; the same call delivered twice is one; the signature of another path
// proves nothing.
func contentful(ctx context.Context, v *visit) (string, error) {
	app := senders.Contentful{
		Action: "export_entries", Secret: v.Signing.Contentful[0], Space: "yadj1kx9rmg0", Environment: "master", User: "0M5q1fYAwHhbCJXW5gsJFe", At: time.Now(),
	}
	call := app.Request([]byte(`{"entryIds": "5KsDBWseXY6QegucYAoacS,2uNOpLMJioKeoMq8W44uYc"}`))
	var first, second struct{ Job string }
	if err := v.ask(ctx, call, 202, &first); err != nil {
		return "", err
	}
	if err := v.ask(ctx, call, 202, &second); err != nil {
		return "", err
	}
	if first != second {
		return "", fmt.Errorf("one call delivered twice is two jobs: %+v, %+v", first, second)
	}
	job, err := v.succeeded(ctx, first.Job)
	if err != nil {
		return "", err
	}
	if job.Done != 2 {
		return "", fmt.Errorf("job %+v, want two entries", job)
	}
	app.Action = "notify"
	elsewhere := app.Request(call.Body)
	elsewhere.Path = call.Path
	if _, err := stack.Expect(ctx, v.URL, elsewhere, 403); err != nil {
		return "", err
	}
	return "202, a job of two entries, delivered twice and done once; a signature of another path 403", nil
}
