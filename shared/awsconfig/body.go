package awsconfig

import (
	"bytes"
	"io"
	"net/http"
)

// maxWhole is the longest body that is handed over whole: more than SQS, DynamoDB and Secrets Manager take. A longer one is a
// part of a file.
const maxWhole = 2 << 20

// wholeBodies hands bodies to the transport as bytes in memory. The SDK's own reader hides that they are: the transport then
// sends header and body apart, drops the connection where the answer comes before the body's end, and the call is made again,
// although the service may have done it.
type wholeBodies struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (w wholeBodies) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body == nil || request.ContentLength <= 0 || request.ContentLength > maxWhole {
		return w.Transport.RoundTrip(request)
	}
	content := make([]byte, request.ContentLength)
	_, err := io.ReadFull(request.Body, content)
	if closed := request.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
	}
	whole := *request // the caller's stays as it is
	whole.Body = io.NopCloser(bytes.NewReader(content))
	whole.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	return w.Transport.RoundTrip(&whole)
}
