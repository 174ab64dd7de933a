package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"

	"github.com/pim-functions/pim-functions/shared/senders"
)

// Send sends a request to an address, and returns status and text of the answer. It follows no redirect, as no sender
// does.
func Send(ctx context.Context, address string, request senders.Request) (status int, text []byte, err error) {
	base, err := url.Parse(address)
	if err != nil {
		return 0, nil, err
	}
	call, err := request.HTTP(ctx, base)
	if err != nil {
		return 0, nil, err
	}
	answer, text, err := Do(call)
	if err != nil {
		return 0, nil, err
	}
	return answer.StatusCode, text, nil
}

// Do sends a request as it is, and returns the answer and its text. It follows no redirect.
func Do(request *http.Request) (answer *http.Response, text []byte, err error) {
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err = client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	text, err = io.ReadAll(answer.Body)
	return answer, text, err
}

// Expect sends a request, and fails unless it is answered with that status.
func Expect(ctx context.Context, address string, request senders.Request, want int) (text []byte, err error) {
	status, text, err := Send(ctx, address, request)
	if err == nil && status != want {
		err = fmt.Errorf("%s %s: answered %d %s, want %d", request.Method, request.Path, status, text, want)
	}
	return text, err
}

// Press presses the button export_to_erp with the project's own tool, and returns the job's ID.
func Press(ctx context.Context, address, secret string) (job string, err error) {
	printed, err := Run(ctx, nil, ".artifacts/pimctl", "send", "action-product-grid", address, "--extension", "export_to_erp", "--secret", secret, "--fresh")
	if err != nil {
		return "", err
	}
	return JobIn(printed)
}

// Letters is what the project's own tool says of the stack's dead letters.
func (s *Stack) Letters(ctx context.Context) (string, error) {
	return Run(ctx, nil, ".artifacts/pimctl", "letters", "redrive", "--stage", stage, "--stack", name, "--dry-run")
}

// Order has the project's own tool start something on the stage (pimctl run, pimctl jobs undo), and returns the job's ID.
func (s *Stack) Order(ctx context.Context, words ...string) (job string, err error) {
	printed, err := Run(ctx, nil, ".artifacts/pimctl", append(words, "--stage", stage, "--stack", name, "--yes", "--json")...)
	if err != nil {
		return "", err
	}
	var started struct{ Job string }
	err = json.Unmarshal([]byte(printed), &started)
	return started.Job, err
}

// JobIn finds the job's ID in what a user of the PIM reads.
func JobIn(text string) (job string, err error) {
	found := jobID.FindStringSubmatch(text)
	if found == nil {
		return "", fmt.Errorf("a press was answered without a job ID: %s", text)
	}
	return found[1], nil
}

var jobID = regexp.MustCompile(`Job ID: ([A-Za-z0-9_-]+)`)
