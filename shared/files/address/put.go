package address

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// SignalKey is where the body of a signal lies that is too long for its record. digest is the body's.
func SignalKey(job, wait, digest string) string { return "signal/" + job + "/" + wait + "/" + digest }

// Putter stores a file under a key, whole, and replaces what was there: every store of package files, and S3Putter.
type Putter interface {
	// Put is durable when it returns nil. After an error the file may be there.
	Put(ctx context.Context, key string, content []byte, contentType string) error
}

// S3Putter stores objects by a request that it signs itself: for a function that needs nothing else of S3, and no client.
type S3Putter struct {
	*S3
	Client interface {
		Do(*http.Request) (*http.Response, error)
	}
}

var _ Putter = S3Putter{}

// Put implements Putter (Amazon S3, "PutObject").
func (p S3Putter) Put(ctx context.Context, key string, content []byte, contentType string) error {
	to, err := p.presign(ctx, http.MethodPut, key, url.Values{"X-Amz-Expires": {strconv.Itoa(int(S3Life.Seconds()))}})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, to, bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("put file: %w", err)
	}
	request.Header.Set("Content-Type", contentType)
	answer, err := p.Client.Do(request)
	if err != nil {
		return fmt.Errorf("put file: %s", strings.ReplaceAll(err.Error(), to, "the bucket")) // the address is a right to write
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<16)) // so that the connection can be used again
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("put file: the bucket answered %d", answer.StatusCode)
	}
	return nil
}
